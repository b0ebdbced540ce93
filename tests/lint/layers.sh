#!/bin/sh
# The layers: a folder includes its own headers and those of the layers above
# it, nothing of a folder beside it and nothing below; a worker never sees the
# database.  The linter is first held against a tree that breaks every rule.
set -eu

srcdir=${YOUYUN_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}

# lint DIR: prints what breaks the rules in the tree at DIR.
lint()
{
	(cd "$1" && find shm src admin -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
	    xargs awk '
	BEGIN {
		rank["base"] = rank["shm"] = 1
		rank["conf"] = rank["db"] = rank["http"] = 2
		rank["sandbox"] = 2
		rank["wire"] = rank["upstream"] = 3
		rank["translate"] = 3
		rank["export"] = 3.5
		rank["worker"] = rank["flusher"] = rank["portal"] = 4
		rank["mailer"] = 4
		rank["master"] = rank["admin"] = 5
		# The segment is laid out in types of base (spans, prices,
		# digests); base knows nothing of the segment.
		may["shm", "base"] = 1
		# Beyond the ranks: who may never include what.
		never["worker", "db"] = never["wire", "db"] = 1
		never["upstream", "db"] = 1
		never["worker", "export"] = never["flusher", "export"] = 1
		never["mailer", "export"] = 1
		for (f in rank)
			if (f ~ /^(http|upstream|worker|flusher|portal|mailer|master)$/)
				never["admin", f] = 1
		# Of the flusher, admin takes the check of the journal.
		only["admin", "flusher/journal_check.h"] = 1
		never["translate", "db"] = never["admin", "translate"] = 1
		never["translate", "libpq-fe.h"] = 1
		never["translate", "microhttpd.h"] = 1
		# Of wire, admin takes the names of routes and errors only.
		never["admin", "wire/meter.h"] = 1
		never["admin", "wire/request.h"] = 1
		n = split("base shm conf sandbox http wire upstream " \
		    "worker", a, " ")
		for (i = 1; i <= n; i++)
			never[a[i], "libpq-fe.h"] = 1
		n = split("base shm conf sandbox db http wire upstream flusher " \
		    "mailer master admin", a, " ")
		for (i = 1; i <= n; i++)
			never[a[i], "microhttpd.h"] = 1
	}
	FNR == 1 {
		n = split(FILENAME, part, "/")
		folder = part[1] == "src" ? part[2] : part[1]
		if (!(folder in rank))
			bad("the folder has no layer")
	}
	function bad(why) {
		printf "%s:%d: %s\n", FILENAME, FNR, why
	}
	/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
		what = $0
		sub(/^[^<"]*[<"]/, "", what)
		sub(/[>"].*$/, "", what)
		if ((folder, what) in never)
			bad(folder " must not include " what)
		if ($0 ~ /</)
			next
		if (what ~ /(^|\/)\.\.?\//) {
			bad("name " what " from the top of its tree")
			next
		}
		if (what == "config.h" || !index(what, "/"))
			next
		to = what
		sub(/\/.*/, "", to)
		if (to == folder || (folder, to) in may ||
		    (folder, what) in only)
			next
		if (!(to in rank))
			bad(what " is in no layer")
		else if ((folder, to) in never)
			bad(folder " must not include " to)
		else if (rank[to] == rank[folder])
			bad(folder " and " to " are beside each other")
		else if (rank[to] > rank[folder])
			bad(to " is below " folder)
	}' /dev/null)
}

# expect PATH LINE: the line in a file at PATH must be caught.
expect()
{
	rm -rf "$scratch"/shm "$scratch"/src "$scratch"/admin
	mkdir -p "$scratch/$(dirname "$1")"
	printf '%s\n' "$2" >"$scratch/$1"
	if [ -z "$(lint "$scratch")" ]; then
		echo "not caught: $2 in $1"
		exit 1
	fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
expect src/worker/a.c '#include "db/conn.h"'
expect src/worker/a.c '#include <libpq-fe.h>'
expect src/http/a.c '#include "conf/conf.h"'
expect src/conf/a.h '#include "worker/worker.h"'
expect src/base/a.c '#include "shm/hold.h"'
expect shm/a.c '#include "conf/conf.h"'
expect admin/a.c '# include "worker/worker.h"'
expect admin/a.c '#include "wire/meter.h"'
expect admin/a.c '#include "flusher/journal.h"'
expect src/flusher/a.c '#include <microhttpd.h>'
expect src/worker/a.c '#include "export/export.h"'
expect src/http/a.c '#include "../base/log.h"'
expect src/attic/a.c '#include "base/log.h"'

broken=$(lint "$srcdir")
if [ -n "$broken" ]; then
	printf '%s\n' "$broken"
	exit 1
fi
count=$(cd "$srcdir" && find shm src admin -name '*.[ch]' | wc -l)
[ "$count" -gt 0 ] || { echo "no sources in $srcdir"; exit 1; }
echo "$count files keep to the layers"
