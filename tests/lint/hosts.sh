#!/bin/sh
# The tree names no host of a package registry: mirrors and registries come
# from the configuration of the machine's own package tools.
set -eu

srcdir=${YOUYUN_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}

# Written so that this file does not match itself.
pattern='(deb|ftp|security|snapshot|archive|cdn|httpredir|mirrors?)[.]debian[.](org|net)'
pattern="$pattern|[.]debian[.]org|registry[.](npmjs|yarnpkg)|npmjs[.](org|com)"
pattern="$pattern|npm[m]irror|pypi[.](org|io)|python[h]osted|crates[.]io"
pattern="$pattern|proxy[.]golang|maven[.](org|apache)|node[s]ource"

# With git the tracked files; in an unpacked tarball all but built ones.
files()
{
	if git -C "$srcdir" rev-parse --show-toplevel >/dev/null 2>&1 &&
	    [ "$(git -C "$srcdir" rev-parse --show-toplevel)" = \
	    "$(cd "$srcdir" && pwd -P)" ]; then
		git -C "$srcdir" ls-files
		return
	fi
	(cd "$srcdir" && find shm src admin tests bench man etc build-aux m4 \
	    README HACKING SECURITY NEWS Makefile.am configure.ac \
	    quickstart run-tests -type f \
	    ! -name 'config.guess' ! -name 'config.sub' ! -name '*.o' \
	    ! -path '*/node_modules/*' 2>/dev/null || true)
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'deb http://deb.%s.org/debian sid main\n' debian >"$scratch/bad"
grep -Eiq "$pattern" "$scratch/bad" || {
	echo "the pattern does not catch what it is for"
	exit 1
}

files >"$scratch/files"
[ -s "$scratch/files" ] || { echo "no files in $srcdir"; exit 1; }
status=0
cd "$srcdir"
while IFS= read -r file; do
	[ -f "$file" ] || continue
	if grep -EinI "$pattern" "$file" >"$scratch/hits"; then
		sed "s|^|$file:|" "$scratch/hits"
		status=1
	fi
done <"$scratch/files"
[ $status -ne 0 ] || echo "$(wc -l <"$scratch/files") files name no registry"
exit $status
