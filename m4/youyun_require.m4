# What is missing is collected and reported together, so that an operator
# installs once and not once per run of configure.

# YOUYUN_MISSING(WHAT, DEBIAN-PACKAGE)
AC_DEFUN([YOUYUN_MISSING], [
  AS_VAR_APPEND([youyun_missing], ["
    $1: apt-get install $2"])
])

# YOUYUN_PKG(VARIABLE-PREFIX, PKG-CONFIG-SPEC, DEBIAN-PACKAGE)
# Sets PREFIX_CFLAGS, PREFIX_LIBS and youyun_have_PREFIX.
AC_DEFUN([YOUYUN_PKG], [
  youyun_have_$1=no
  PKG_CHECK_MODULES([$1], [$2], [youyun_have_$1=yes],
    [YOUYUN_MISSING([$3 is missing or too old ($2 is needed)], [$3])])
])

# YOUYUN_REQUIRE_DONE
AC_DEFUN([YOUYUN_REQUIRE_DONE], [
  AS_IF([test -n "$youyun_missing"], [
    AC_MSG_ERROR([youyun cannot be built on this machine yet:$youyun_missing

  build-aux/install-deps installs all of it.])
  ])
])
