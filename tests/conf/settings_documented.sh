#!/bin/sh
# The table of settings, the manual page and the sample file name the same
# settings, in the same order, with the same defaults, and the manual says of
# each whether it changes in a running service.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

compare()
{
	if ! diff -u "$scratch/$1" "$scratch/$2"; then
		echo "FAIL: $3" >&2
		failed=1
	fi
}

"$YOUYUN_BUILDDIR/tests/conf/print_settings" >"$scratch/table"
if [ "$(wc -l <"$scratch/table")" -lt 30 ]; then
	echo "FAIL: the table of settings is nearly empty" >&2
	exit 1
fi
cut -f 1-2 "$scratch/table" >"$scratch/table.defaults"

# .It Ic NAME No = Cm DEFAULT ... .Pq Em restart
awk '
function flush() { if (name != "") print name "\t" value "\t" change }
/^\.It Ic [a-z0-9_]+ No = Cm / {
	flush(); name = $3; value = $7; change = "live"
	gsub(/\\\(dq/, "\"", value)
}
/^\.Pq Em restart/ { change = "restart" }
END { flush() }
' "$YOUYUN_BUILDDIR/man/youyun.conf.5" >"$scratch/manual"
compare table manual "youyun.conf.5 and src/conf/settings.c differ"

# #NAME = DEFAULT
sed -n 's/^#\([a-z0-9_]*\) = \(.*\)$/\1	\2/p' \
    "$YOUYUN_BUILDDIR/etc/youyun.conf" >"$scratch/sample"
compare table.defaults sample "youyun.conf and src/conf/settings.c differ"

exit $failed
