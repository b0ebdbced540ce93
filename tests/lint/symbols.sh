#!/bin/sh
# Libraries that are linked into one program must not define the same name: the
# linker takes the first and says nothing.
set -eu

builddir=${YOUYUN_BUILDDIR:-.}

# twice LIBRARY...: names that more than one of them defines.
twice()
{
	for library; do
		nm -g --defined-only "$library" 2>/dev/null |
		    awk '$2 ~ /^[TDBR]$/ { print $3 }' | sort -u
	done | sort | uniq -d
}

command -v nm >/dev/null || exit 77
# Held against two that do.
set -- "$builddir"/src/base/libbase.a "$builddir"/src/base/libbase.a
[ -n "$(twice "$@")" ] || { echo "the same library twice was not noticed"; exit 1; }

set -- "$builddir"/shm/libshm.a "$builddir"/src/*/lib*.a
found=$(twice "$@")
if [ -n "$found" ]; then
	echo "defined in more than one library:"
	echo "$found"
	exit 1
fi
echo "$# libraries, no name twice"
