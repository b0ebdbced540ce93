#!/bin/sh
# The sample file is taken by the daemon as it is installed, and with every
# setting's comment sign taken away; and -T shows then what it showed before.
set -eu

youyund=$YOUYUN_BUILDDIR/src/master/youyund
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$youyund" -T -c "$YOUYUN_BUILDDIR/etc/youyun.conf" >"$scratch/sample"
sed 's/^#\([a-z0-9_]* = \)/\1/; /<state_dir>/d' \
    "$YOUYUN_BUILDDIR/etc/youyun.conf" >"$scratch/all.conf"
"$youyund" -T -c "$scratch/all.conf" >"$scratch/all"
diff -u "$scratch/sample" "$scratch/all"

# A mistake on any line fails, with that line.
for name in $(sed -n 's/ = .*//p' "$scratch/sample"); do
	printf '# one\n%s = \001\n' "$name" >"$scratch/bad.conf"
	status=0
	"$youyund" -T -c "$scratch/bad.conf" >"$scratch/out" \
	    2>"$scratch/messages" || status=$?
	if [ $status -ne 78 ] ||
	    ! grep -q "bad.conf:2: $name: " "$scratch/messages"; then
		echo "FAIL: $name = ^A: status $status" >&2
		cat "$scratch/messages" >&2
		exit 1
	fi
done
