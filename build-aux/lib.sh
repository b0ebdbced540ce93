# Shell functions of quickstart, run-tests and install-deps: saying what is
# done, and showing that a long step is alive. Sourced by bash.

if [ -t 1 ] && [ -z "${CI:-}" ] && [ -z "${NO_COLOR:-}" ]; then
	c_bold=$'\e[1m' c_dim=$'\e[2m' c_red=$'\e[31m' c_green=$'\e[32m'
	c_off=$'\e[0m' on_tty=yes
else
	c_bold='' c_dim='' c_red='' c_green='' c_off='' on_tty=no
fi

jobs=${YOUYUN_JOBS:-$(nproc 2>/dev/null || echo 1)}

say() { printf '%s==>%s %s\n' "$c_bold" "$c_off" "$*"; }
note() { printf '    %s\n' "$*"; }
die()
{
	printf '%s%s: %s%s\n' "$c_red" "$(basename "$0")" "$*" "$c_off" >&2
	exit 1
}

# long LOG WHAT COMMAND...: runs a long step with its output in LOG; shows
# how long it has taken, and the output's end if it fails.
long()
{
	local log=$1 what=$2 start=$SECONDS pid status=0 ticks=0 last lines

	shift 2
	say "$what"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		ticks=$((ticks + 1))
		if [ $on_tty = yes ]; then
			last=$(tail -n 1 "$log" | tr -d '\r' |
			    tr '\t' ' ' | cut -c 1-60)
			printf '\r\e[K    %s%4d s  %s%s' "$c_dim" \
			    $((SECONDS - start)) "$last" "$c_off"
		elif [ $((ticks % 75)) -eq 0 ]; then
			lines=$(wc -l <"$log")
			note "$((SECONDS - start)) s, $lines lines of output"
		fi
	done
	wait "$pid" || status=$?
	[ $on_tty = no ] || printf '\r\e[K'
	if [ $status -ne 0 ]; then
		tail -n 60 "$log" >&2
		die "$what: failed"
	fi
	[ $((SECONDS - start)) -lt 3 ] || note "took $((SECONDS - start)) s"
}

# outdated FILE OTHER...: is FILE missing or older than one of the others?
outdated()
{
	local file=$1 other

	shift
	[ -e "$file" ] || return 0
	for other; do
		[ "$other" -nt "$file" ] && return 0
	done
	return 1
}

# configured_build DIR CONFIGURE-ARGUMENTS...: autoreconf and configure where
# needed; a change of the arguments configures again. srcdir is set.
configured_build()
{
	local dir=$1

	shift
	mkdir -p "$dir"
	if outdated "$srcdir/configure" "$srcdir/configure.ac" \
	    "$srcdir"/m4/*.m4 || [ ! -e "$srcdir/Makefile.in" ]; then
		long "$dir/autoreconf.log" "Preparing configure" \
		    autoreconf -i "$srcdir"
	fi
	if outdated "$dir/config.status" "$srcdir/configure" ||
	    [ "$(cat "$dir/configure.args" 2>/dev/null)" != "$*" ]; then
		(cd "$dir" && long "$dir/configure.log" "Configuring in $dir" \
		    "$srcdir/configure" -q "$@")
		printf '%s\n' "$*" >"$dir/configure.args"
	fi
}
