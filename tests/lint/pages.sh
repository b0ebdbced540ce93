#!/bin/sh
# Lists go on behind a key: no statement counts rows off with OFFSET, and none
# looks for a text anywhere in another (LIKE '%...'), for which no index is of
# use.
set -eu

srcdir=${YOUYUN_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$srcdir"

# Of C what stands within quotes is looked at; of SQL all but comments and
# texts for people.
statements()
{
	case $1 in
	*.sql) sed -e 's/--.*//' -e '/^COMMENT ON /d' "$1" ;;
	*) grep -n '"' "$1" | grep -Ev '\{ "[a-z_]+", "' || true ;;
	esac
}

bad='(^|[^A-Za-z_])OFFSET([^A-Za-z_]|$)'
bad="$bad|I?LIKE[[:space:]]+('|\\\\\"|[(])?%|I?LIKE[[:space:]]+'%"
bad="$bad|I?LIKE[[:space:]]*([(][^)]*[|][|])?[[:space:]]*'%'"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for line in '" ORDER BY id LIMIT 50 OFFSET $1"' "\" name LIKE '%' || \$1\"" \
    "\" name ILIKE '%x%'\"" "\" name LIKE '%@%'\""; do
	printf '%s\n' "$line" >"$scratch/bad.c"
	statements "$scratch/bad.c" | grep -Eq "$bad" || {
		echo "the pattern does not catch: $line"
		exit 1
	}
done
printf '%s\n' '" name ^@ $1 ORDER BY name LIMIT $2"' >"$scratch/good.c"
if statements "$scratch/good.c" | grep -Eq "$bad"; then
	echo "the pattern catches what is right"
	exit 1
fi

status=0
n=0
for file in $(find src admin -name '*.c' -o -name '*.h' -o -name '*.sql' |
    sort); do
	n=$((n + 1))
	if statements "$file" | grep -E "$bad" >"$scratch/hits"; then
		sed "s|^|$file: |" "$scratch/hits"
		status=1
	fi
done
[ $status -ne 0 ] || echo "$n files page by key"
exit $status
