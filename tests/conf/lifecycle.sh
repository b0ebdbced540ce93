#!/bin/sh
# The daemon as a family of processes: each of them is killed, and comes back;
# the master is killed, and all go; and a stop leaves nothing.  Run by root it
# runs as an ordinary user, which everybody can.
set -u

scratch=$(mktemp -d)
chmod 755 "$scratch"
. "$YOUYUN_SRCDIR/tests/conf/instance.sh"
trap 'kill_instance; rm -rf "$scratch"' EXIT

youyund=$YOUYUN_BUILDDIR/src/master/youyund
youyunctl=$YOUYUN_BUILDDIR/admin/youyunctl
need_tools

user=$(id -un)
run_as=
if [ "$(id -u)" -eq 0 ]; then
	user=nobody
	command -v setpriv >/dev/null 2>&1 || skip "setpriv is not installed"
	run_as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
	# The build may be where that user can't look.
	cp "$youyund" "$youyunctl" "$scratch"
	youyund=$scratch/youyund
	youyunctl=$scratch/youyunctl
fi
make_conf "$user"
$run_as "$youyunctl" -c "$conf" init >"$scratch/init" 2>&1 || {
	cat "$scratch/init"
	fail "youyunctl init"
}

start()
{
	$run_as "$youyund" -f -c "$conf" >>"$scratch/log" 2>&1 &
	wait_for 30 is_ready || fail "not ready after a start"
	master=$(cat "$scratch/var/state/run/youyund.pid")
}

said()
{
	grep -q -- "$1" "$scratch/log"
}

# is_new NAME OLD: its child of that name is there and another one.
is_new()
{
	new=$(child_of "$master" "$1") && [ -n "$new" ] && [ "$new" != "$2" ]
}

echo "# a missing cluster, and a wrong one, are told before anything starts"
sed 's|state_dir = .*|state_dir = /nonexistent|' "$conf" >"$scratch/other.conf"
"$youyund" -t -c "$scratch/other.conf" 2>"$scratch/out" && fail "-t: no state"
grep -q 'state_dir: /nonexistent: .*; make it with youyunctl init' \
    "$scratch/out" || fail "-t doesn't say what to do: $(cat "$scratch/out")"

$run_as "$youyund" -t -c "$conf" >/dev/null || fail "-t refuses what is right"

echo "# start"
start
[ "$(stat -c %a "$scratch/var/state/run/pg")" = 700 ] ||
	fail "others can reach the database's socket"

echo "# a second one doesn't start"
$run_as "$youyund" -f -c "$conf" >"$scratch/out" 2>&1 && fail "two at once"
grep -q "runs already: pid=$master" "$scratch/out" ||
	fail "the second one doesn't say why: $(cat "$scratch/out")"

for child in youyun-worker youyun-flusher postgres; do
	echo "# $child is killed and comes back"
	old=$(child_of "$master" $child) || fail "no $child"
	kill -9 "$old"
	wait_for 20 is_new $child "$old" || fail "no new $child"
	wait_for 30 is_ready || fail "not ready after the death of $child"
	name=${child#youyun-}
	said "$name was killed: number=0 pid=$old signal=9" ||
		fail "the death of $child was not logged"
done

echo "# a reload with mistakes names them and changes nothing"
old=$(child_of "$master" youyun-worker)
cp "$conf" "$scratch/good.conf"
printf 'head_timeout = 30\nworker = 2\n' >>"$conf"
kill -HUP "$master"
wait_for 5 said 'head_timeout: a time needs its unit' || fail "no mistake 1"
wait_for 5 said 'worker: there is no such setting; did you mean workers?' ||
	fail "no mistake 2"
cp "$scratch/good.conf" "$conf"
sleep 0.3
[ "$(child_of "$master" youyun-worker)" = "$old" ] ||
	fail "a wrong configuration replaced the worker"

echo "# a reload replaces the worker, and names what needs a restart"
old_port=$port
port=$((port + 10000))
printf 'idle_timeout = 5s\n' >>"$conf"
sed -i "s/^max_keys = .*/max_keys = 2000/; s/^listen = .*/listen = *:$port/" \
    "$conf"
kill -HUP "$master"
wait_for 10 is_new youyun-worker "$old" || fail "no worker with new settings"
wait_for 5 said "max_keys: can't change in a running service and stays 1000" ||
	fail "max_keys was not named"
wait_for 10 is_ready || fail "not ready at the new address"
port=$old_port
is_gone()
{
	! is_ready
}
wait_for 10 is_gone || fail "the old address still answers"
cp "$scratch/good.conf" "$conf"

echo "# a new certificate is taken by a reload"
served()
{
	openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
	    openssl x509 -noout -subject | grep -q "CN *= *$1\$"
}
kill -HUP "$master"
wait_for 10 served localhost || fail "not the first certificate"
new_certificate renewed
kill -HUP "$master"
wait_for 10 served renewed || fail "not the new certificate"

echo "# without a flusher for long, calls are refused until it is back"
refused()
{
	flusher=$(child_of "$master" youyun-flusher) && kill -9 "$flusher"
	said 'new calls are refused until the flusher runs again' && ! is_ready
}
wait_for 30 refused || fail "calls would be taken without a flusher"
wait_for 30 is_ready || fail "not ready with a flusher again"

echo "# the master is killed: all go, and a new start works"
kill -9 "$master"
wait_for 30 nothing_runs || fail "left over: $(instance_pids)"
start

echo "# a stop leaves nothing"
kill -TERM "$master"
wait_for 30 nothing_runs || fail "left over: $(instance_pids)"
wait
[ ! -e "$scratch/var/state/run/youyund.pid" ] || fail "a pid file is left"
said 'master.*: stopped$' || fail "no word about the end"

echo "# a worker that stands still is killed, sooner when asked again"
start
worker=$(child_of "$master" youyun-worker)
wait_for 20 child_of "$master" youyun-flusher || fail "no flusher"
kill -STOP "$worker"
kill -TERM "$master"
stops_again()
{
	[ "$(grep -c 'master.*: stopping$' "$scratch/log")" -eq 2 ]
}
wait_for 5 stops_again || fail "no word about stopping"
kill -TERM "$master"
wait_for 5 said 'asked to stop again' || fail "a second signal is lost"
wait_for 4 said "worker didn't end in time and is killed: pid=$worker" ||
	fail "it was not killed"
wait_for 60 nothing_runs || fail "left over: $(instance_pids)"
wait

segment=$(sed -n 's/.*segment made: name=\([^ ]*\).*/\1/p' "$scratch/log" |
    tail -n 1)
[ -n "$segment" ] || fail "no segment's name in the log"
[ ! -e "/dev/shm$segment" ] || fail "/dev/shm$segment is left"

if grep -E 'ERROR: [A-Z][a-z]*Sanitizer|runtime error|Assertion' "$scratch/log"; then
	fail "a process failed"
fi
