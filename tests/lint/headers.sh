#!/bin/sh
# Every header compiles alone, without config.h and whatever else a source
# file may have included before it.
set -eu

srcdir=${YOUYUN_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cc=${CC:-cc}
flags="-D_GNU_SOURCE -std=gnu11 -Wall -Wextra -Wstrict-prototypes -Werror"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# alone HEADER INCLUDE-DIR...: the header twice, so that its guard counts too.
alone()
{
	header=$1
	shift
	printf '#include "%s"\n#include "%s"\nint youyun_lint;\n' \
	    "$header" "$header" >"$scratch/a.c"
	# shellcheck disable=SC2086
	$cc $flags ${YOUYUN_LINT_CPPFLAGS:-} "$@" -fsyntax-only "$scratch/a.c"
}

# The check itself must be able to fail.
printf 'size_t youyun_lint_size;\n' >"$scratch/bad.h"
if alone bad.h -I"$scratch" 2>/dev/null; then
	echo "a header that lacks its includes was not caught"
	exit 1
fi

status=0
count=0
for header in $(cd "$srcdir" &&
    find shm src admin tests bench -name '*.h' | LC_ALL=C sort); do
	count=$((count + 1))
	if ! alone "${header#src/}" -I"$srcdir" -I"$srcdir/src"; then
		echo "$header does not compile alone"
		status=1
	fi
done
[ $count -gt 0 ] || { echo "no headers in $srcdir"; exit 1; }
[ $status -ne 0 ] || echo "$count headers compile alone"
exit $status
