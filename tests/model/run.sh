#!/bin/sh
# Searches all states of shm/PROTOCOL's model, within bounds, for one that
# breaks a promise about money; and then models with a mechanism taken away,
# in each of which the search must find such a state.  See README.
#
#	run.sh [--large] [NAME...]
#
# --large	more calls and deaths, and all controls; minutes and gigabytes
# NAME		only these
#
# YOUYUN_KEEP	keep the directory and say where it is
set -eu

srcdir=${YOUYUN_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
CC=${CC:-cc}
large=no
names=
passed=0
failed=0

for arg; do
	case $arg in
	--large) large=yes ;;
	-*) echo "usage: run.sh [--large] [NAME...]" >&2; exit 2 ;;
	*) names="$names $arg " ;;
	esac
done

if ! command -v spin >/dev/null; then
	echo "SKIP: spin is not installed (build-aux/install-deps --tests)"
	exit 77
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/youyun-model.XXXXXX")
end()
{
	if [ -n "${YOUYUN_KEEP:-}" ]; then
		echo "kept: $scratch"
	else
		rm -rf "$scratch"
	fi
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# search KIND NAME CFLAGS SECONDS MEGABYTES DEFINE...: leaves the checker's
# answer in $scratch/NAME/out.
search()
{
	kind=$1 name=$2 flags=$3 seconds=$4 megabytes=$5
	shift 5
	pan=
	[ "$kind" != cycles ] || pan=-l
	mkdir "$scratch/$name"
	cd "$scratch/$name"
	began=$(date +%s)
	# A preprocessor by its full name: spin's own default may be missing.
	if ! spin "-P$CC -E -x c" "$@" -a "$srcdir/tests/model/money.pml" \
	    >messages 2>&1 || ! [ -s pan.c ] ||
	    ! $CC $flags -w -DMEMLIM="$megabytes" -o pan pan.c >>messages 2>&1
	then
		cat messages
		echo "$name: no checker" >out
		return
	fi
	timeout "$seconds" ./pan $pan -m2000000 >out 2>&1 ||
	    echo "pan's status: $?" >>out
	took=$(($(date +%s) - began))
}

wanted()
{
	[ -z "$names" ] && return
	case $names in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

say()
{
	states=$(awk '/states, stored/ { print $1; exit }' out)
	printf '%-4s %-24s %10s states %4s s  %s\n' "$1" "$name" \
	    "${states:-no}" "${took:--}" "$2"
	took=
}

good()
{
	passed=$((passed + 1))
	say ok "$1"
}

bad()
{
	failed=$((failed + 1))
	say FAIL "$1"
	sed 's/^/	/' out
	[ ! -e money.pml.trail ] ||
	    ./pan -r -n money.pml.trail 2>&1 | tail -n 80
}

# complete: the search saw every state and found nothing.
complete()
{
	grep -q 'errors: 0$' out && grep -q 'states, stored' out &&
	    ! grep -Eq 'not completed|too small|out of memory|status' out
}

# sound NAME DEFINE...: no reachable state breaks a promise.
sound()
{
	wanted "$1" || return 0
	n=$1
	shift
	search states "$n" "$sound_flags" $sound_limits "$@"
	if complete; then
		good "no error"
	else
		bad "an error, or not searched to the end"
	fi
}

# ends NAME DEFINE...: no run goes on for ever, whoever is scheduled.
ends()
{
	wanted "$1" || return 0
	n=$1
	shift
	search cycles "$n" "-O0 -DNP -DNOFAIR" $sound_limits "$@"
	if complete; then
		good "no endless run"
	else
		bad "an endless run, or not searched to the end"
	fi
}

# broken MECHANISM ERROR DEFINE...: without it, that error must be found.
broken()
{
	wanted "$1" || return 0
	n=$1 error=$2
	shift 2
	kind=states flags="-O0 -DSAFETY"
	if [ "$error" = non-progress ]; then
		kind=cycles flags="-O0 -DNP -DNOFAIR"
	fi
	search $kind "$n" "$flags" 200 4000 "$@" "-DBREAK_$n"
	if grep -q "^pan:1: $error" out; then
		good "found: $(sed -n 's/^pan:1: //p' out | head -n 1 |
		    cut -c 1-64)"
	else
		bad "nothing found: expected $error"
	fi
}

two_workers='-DWORKERS=2 -DCALLS=1 -DEXTENDS=0 -DGRANTS=1 -DCRASHES=1'
two_holds='-DWORKERS=1 -DHOLDS=2 -DCALLS=2 -DEXTENDS=0 -DCRASHES=1'
full_ring='-DWORKERS=1 -DHOLDS=2 -DRING=2 -DREAD_RINGS -DCALLS=3 -DSTART=4
	-DEXTENDS=0 -DGRANTS=0 -DCRASHES=1'
# A worker dies and then the reclaimer, or the reclaimer twice; the hold is
# used by a second call.
reclaimers='-DWORKERS=1 -DCALLS=2 -DEXTENDS=0 -DGRANTS=1 -DCRASHES=2'
calm='-DWORKERS=2 -DCALLS=1 -DEXTENDS=0 -DGRANTS=1 -DCRASHES=0'

# To compile with optimization takes longer than it saves, here.
sound_flags='-O0 -DSAFETY'
sound_limits='200 4000'
sound two-workers $two_workers
sound two-holds $two_holds
sound full-ring $full_ring
sound reclaimers $reclaimers
ends two-workers-end $calm

violated='assertion violated'
broken NO_DONE "$violated" $two_workers
broken DONE_AFTER "$violated" $two_workers
broken DONE_FIRST "$violated" $two_workers
broken NOT_FINISHED "$violated" $two_holds
broken ONE_COPY "$violated" $two_workers
broken STALE_RETRY non-progress $calm

if [ $large = yes ]; then
	broken DONE_LOWERED "$violated" $two_workers
	broken SWAP_AMOUNT_ONLY "$violated" $two_workers
	broken WORD_FIRST "$violated" $two_workers
	broken RECORD_LATE "$violated" $two_workers
	broken FREE_EARLY "$violated" $two_workers
	broken NO_POSITION "$violated" $two_holds
	broken NOT_ASKED "$violated" $two_holds
	broken NOT_RECOVERED "$violated" $two_holds
	broken PROGRESS_KEPT "$violated" $two_holds
	broken PROGRESS_ONE_COPY "$violated" $two_holds -DPROGRESSES=2
	broken SEAT_EARLY "$violated" $two_holds
	broken NO_ROOM "$violated" $full_ring
	broken TAIL_EARLY "$violated" $full_ring

	ends two-holds-end $two_holds
	sound_flags='-O2 -DSAFETY'
	sound_limits='1800 12000'
	sound one-hold-reused -DWORKERS=1 -DCALLS=2 -DGRANTS=2 \
	    -DPROGRESSES=2 -DCRASHES=2
	sound one-slot -DWORKERS=1 -DRING=1 -DREAD_RINGS -DCALLS=2 \
	    -DGRANTS=1 -DCRASHES=2
	sound two-holds-extended -DWORKERS=1 -DHOLDS=2 -DCALLS=2 -DCRASHES=2
	# Too many to be kept whole: a hash of 64 bits stands for a state.
	sound_flags='-O2 -DSAFETY -DHC4'
	sound two-deaths -DWORKERS=2 -DCALLS=1 -DEXTENDS=0 -DGRANTS=1 \
	    -DCRASHES=2
	sound two-calls -DWORKERS=2 -DCALLS=2 -DEXTENDS=0 -DGRANTS=1 \
	    -DCRASHES=1
	sound two-workers-extended -DWORKERS=2 -DCALLS=1 -DGRANTS=1 -DCRASHES=1
	# With a grant as well they are more than 200 million, and not tried.
	sound two-calls-two-deaths -DWORKERS=2 -DCALLS=2 -DEXTENDS=0 \
	    -DGRANTS=0 -DCRASHES=2
fi

echo "$passed passed, $failed failed"
[ $((passed + failed)) -gt 0 ] && [ $failed -eq 0 ]
