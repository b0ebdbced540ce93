#!/bin/sh
# Every manual page is mdoc without a warning, and what names installed paths
# has all of them.
if ! command -v mandoc >/dev/null 2>&1; then
	echo "SKIP: mandoc is not installed"
	exit 77
fi

failed=0
count=0
# Those with installed paths are made; the others are in the source.
for page in "$YOUYUN_BUILDDIR"/man/*.[1-9] "$YOUYUN_SRCDIR"/man/*.[1-9]; do
	[ -e "$page" ] || continue
	count=$((count + 1))
	if ! mandoc -T lint -W warning "$page"; then
		echo "FAIL: $page" >&2
		failed=1
	fi
done
if [ $count -lt 2 ]; then
	echo "FAIL: only $count manual pages were found" >&2
	failed=1
fi

for made in man/youyund.8 man/youyun.conf.5 etc/youyun.conf etc/youyun.init \
    etc/youyun.service etc/youyun.logrotate; do
	if [ ! -s "$YOUYUN_BUILDDIR/$made" ]; then
		echo "FAIL: no $made" >&2
		failed=1
	elif grep -n '@[a-z]*@' "$YOUYUN_BUILDDIR/$made"; then
		echo "FAIL: $made has a path that was not filled in" >&2
		failed=1
	fi
done
exit $failed
