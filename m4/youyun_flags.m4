# YOUYUN_CFLAG(FLAG)
# Adds FLAG to YOUYUN_CFLAGS where the compiler takes it without a warning.
AC_DEFUN([YOUYUN_CFLAG], [
  AS_VAR_PUSHDEF([yy_cv], [youyun_cv_cflag_$1])dnl
  AC_CACHE_CHECK([whether $CC accepts $1], [yy_cv], [
    yy_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
      [AS_VAR_SET([yy_cv], [yes])], [AS_VAR_SET([yy_cv], [no])])
    CFLAGS=$yy_save_CFLAGS
  ])
  AS_VAR_IF([yy_cv], [yes], [AS_VAR_APPEND([YOUYUN_CFLAGS], [" $1"])])
  AS_VAR_POPDEF([yy_cv])dnl
])

# YOUYUN_LDFLAG(FLAG)
# Adds FLAG to YOUYUN_LDFLAGS where the linker takes it.
AC_DEFUN([YOUYUN_LDFLAG], [
  AS_VAR_PUSHDEF([yy_cv], [youyun_cv_ldflag_$1])dnl
  AC_CACHE_CHECK([whether the linker accepts $1], [yy_cv], [
    yy_save_CFLAGS=$CFLAGS
    yy_save_LDFLAGS=$LDFLAGS
    CFLAGS="$CFLAGS $YOUYUN_CFLAGS"
    LDFLAGS="$LDFLAGS -Werror $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()],
      [AS_VAR_SET([yy_cv], [yes])], [AS_VAR_SET([yy_cv], [no])])
    CFLAGS=$yy_save_CFLAGS
    LDFLAGS=$yy_save_LDFLAGS
  ])
  AS_VAR_IF([yy_cv], [yes], [AS_VAR_APPEND([YOUYUN_LDFLAGS], [" $1"])])
  AS_VAR_POPDEF([yy_cv])dnl
])

# YOUYUN_SANITIZERS
# --enable-sanitizers; the flags go into compile and link alike, and every
# report is fatal, so that a test fails by it.
AC_DEFUN([YOUYUN_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers],
      [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
    [], [enable_sanitizers=no])
  AS_IF([test "x$enable_sanitizers" != xno], [
    yy_san="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    yy_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $yy_san"
    AC_MSG_CHECKING([whether $CC links with $yy_san])
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([--enable-sanitizers: the compiler's run-time libraries are not installed])])
    CFLAGS=$yy_save_CFLAGS
    YOUYUN_CFLAGS="$YOUYUN_CFLAGS $yy_san -fno-omit-frame-pointer"
    YOUYUN_LDFLAGS="$YOUYUN_LDFLAGS $yy_san"
    # The instrumentation hides value ranges from these two, which then warn
    # of what cannot be; a plain build has them.
    YOUYUN_CFLAG([-Wno-format-truncation])
    YOUYUN_CFLAG([-Wno-maybe-uninitialized])
  ])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
])
