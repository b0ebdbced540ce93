# YOUYUN_MICROHTTPD(VERSION, VERSION-BCD)
# libmicrohttpd with HTTPS: from --with-libmicrohttpd=PREFIX, else from
# pkg-config, else from where build-aux/build-libmicrohttpd puts it.
# A PREFIX is linked statically, so that nothing needs to find it at run time.
# Sets MHD_CFLAGS, MHD_LIBS and youyun_mhd (what the summary says).
AC_DEFUN([YOUYUN_MICROHTTPD], [
  AC_ARG_WITH([libmicrohttpd],
    [AS_HELP_STRING([--with-libmicrohttpd=PREFIX],
      [a libmicrohttpd >= $1 of one's own, as built by
       build-aux/build-libmicrohttpd])],
    [], [with_libmicrohttpd=default])
  yy_mhd_private=${YOUYUN_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/youyun}/libmicrohttpd
  youyun_have_MHD=no
  youyun_mhd=missing
  yy_mhd_prefix=
  AS_CASE([$with_libmicrohttpd],
    [no], [AC_MSG_ERROR([youyun cannot be built without libmicrohttpd])],
    [yes|default], [
      PKG_CHECK_MODULES([MHD], [libmicrohttpd >= $1], [
        youyun_have_MHD=yes
        youyun_mhd="the system's "`$PKG_CONFIG --modversion libmicrohttpd`
      ], [
        AS_IF([test -f "$yy_mhd_private/lib/libmicrohttpd.a"],
          [yy_mhd_prefix=$yy_mhd_private])
      ])
    ],
    [yy_mhd_prefix=$with_libmicrohttpd])
  AS_IF([test -n "$yy_mhd_prefix"], [
    AC_MSG_CHECKING([for libmicrohttpd in $yy_mhd_prefix])
    AS_IF([test -f "$yy_mhd_prefix/lib/libmicrohttpd.a" &&
           test -f "$yy_mhd_prefix/include/microhttpd.h"], [
      youyun_have_MHD=yes
      youyun_mhd="static, from $yy_mhd_prefix"
      MHD_CFLAGS="-I$yy_mhd_prefix/include"
      MHD_LIBS="$yy_mhd_prefix/lib/libmicrohttpd.a"
      AC_MSG_RESULT([yes])
    ], [AC_MSG_RESULT([no])])
    MHD_LIBS="$MHD_LIBS -lpthread"
  ])
  dnl The worker writes past the library on its TLS session, so it is linked
  dnl with what the library is built on, private or not.
  YOUYUN_PKG([GNUTLS], [gnutls >= 3.7], [libgnutls28-dev])
  MHD_CFLAGS="$MHD_CFLAGS $GNUTLS_CFLAGS"
  MHD_LIBS="$MHD_LIBS $GNUTLS_LIBS"
  AS_IF([test $youyun_have_MHD = no], [
    AS_VAR_APPEND([youyun_missing], ["
    libmicrohttpd >= $1 is missing: apt-get install libmicrohttpd-dev, or
      where the distribution's is older: build-aux/build-libmicrohttpd"])
  ], [
    yy_save_CFLAGS=$CFLAGS
    yy_save_LIBS=$LIBS
    CFLAGS="$CFLAGS $MHD_CFLAGS"
    LIBS="$MHD_LIBS $LIBS"
    AC_MSG_CHECKING([whether libmicrohttpd is $1 or newer, with HTTPS])
    AC_RUN_IFELSE([AC_LANG_PROGRAM([[#include <microhttpd.h>
#if MHD_VERSION < $2
#error too old
#endif
]], [[return (MHD_get_version_bin() < $2 ||
    MHD_YES != MHD_is_feature_supported(MHD_FEATURE_TLS));]])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AS_VAR_APPEND([youyun_missing], ["
    libmicrohttpd ($youyun_mhd) is older than $1 or lacks HTTPS:
      build-aux/build-libmicrohttpd builds one that will do"])],
      [AC_MSG_RESULT([not run, cross compiling])])
    CFLAGS=$yy_save_CFLAGS
    LIBS=$yy_save_LIBS
  ])
  AC_SUBST([with_libmicrohttpd])
  AC_SUBST([MHD_CFLAGS])
  AC_SUBST([MHD_LIBS])
])
