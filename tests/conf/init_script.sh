#!/bin/sh
# The init script with an installation of its own, by root, for real.
set -u

[ "$(id -u)" -eq 0 ] || {
	echo "SKIP: init scripts are run by root"
	exit 77
}

scratch=$(mktemp -d)
chmod 755 "$scratch"
. "$YOUYUN_SRCDIR/tests/conf/instance.sh"
trap 'kill_instance; rm -rf "$scratch"' EXIT
need_tools

# With DESTDIR, because another prefix would be written into the build.
root=$scratch/root
unset MAKEFLAGS MFLAGS MAKELEVEL
make -C "$YOUYUN_BUILDDIR" install DESTDIR="$root" >"$scratch/install" 2>&1 || {
	cat "$scratch/install"
	fail "make install"
}

# installed PATH: where make install put it, whatever the prefix is.
installed()
{
	found=$(find "$root" -path "*/$1") && [ -n "$found" ] ||
		fail "$1 was not installed"
	echo "$found"
}
for file in init.d/youyun youyun/youyun.conf youyun/youyun.conf.sample \
    logrotate.d/youyun system/youyun.service man8/youyund.8 \
    man5/youyun.conf.5 sbin/youyund sbin/youyunctl; do
	installed "$file" >/dev/null || exit 1
done
youyund=$(installed sbin/youyund)
youyunctl=$(installed sbin/youyunctl)
script=$(installed init.d/youyun)

make_conf nobody
cp "$conf" "$(installed youyun/youyun.conf)"
conf=$(installed youyun/youyun.conf)
printf 'log = file %s\n' "$scratch/log" >>"$conf"
cp "$conf" "$scratch/good.conf"

# The script names the paths of configure; this installation is elsewhere.
sed -i "s|^daemon=.*|daemon=$youyund|
    s|^config=.*|config=$conf|" "$script"

# init ACTION STATUS: runs the script and compares its exit status.
init()
{
	echo "# $1"
	"$script" "$1" >"$scratch/out" 2>&1
	status=$?
	sed 's/^/  /' "$scratch/out"
	[ $status -eq "$2" ] || fail "$1: status $status instead of $2"
}

pid_file=$scratch/var/state/run/youyund.pid
wrong='head_timeout = soon'

init nonsense 2
init status 3
init start 1
grep -q 'youyunctl init' "$scratch/out" ||
	fail "a start without a database doesn't say what to do"

"$youyunctl" -c "$conf" init >"$scratch/init" 2>&1 || {
	cat "$scratch/init"
	fail "youyunctl init"
}

init start 0
pid=$(cat "$pid_file") || fail "no pid file"
wait_for 30 is_ready || fail "not ready after start"
init status 0
init start 0
[ "$(cat "$pid_file")" = "$pid" ] || fail "start started another one"
for child in youyun-worker youyun-flusher postgres; do
	owner=$(stat -c %U "/proc/$(child_of "$pid" $child)") ||
		fail "no $child"
	[ "$owner" = nobody ] || fail "$child runs as $owner"
	grep -q 'NoNewPrivs:	1' "/proc/$(child_of "$pid" $child)/status" ||
		fail "$child could gain privileges"
done

worker=$(child_of "$pid" youyun-worker)
printf 'idle_timeout = 5s\n' >>"$conf"
init reload 0
worker_is_new()
{
	new=$(child_of "$pid" youyun-worker) && [ -n "$new" ] &&
	    [ "$new" != "$worker" ]
}
wait_for 15 worker_is_new || fail "reload didn't replace the worker"
wait_for 10 is_ready || fail "not ready after reload"
init force-reload 0

echo "$wrong" >>"$conf"
init reload 1
init restart 1
init status 0
[ "$(cat "$pid_file")" = "$pid" ] ||
	fail "a wrong configuration ended the service"
cp "$scratch/good.conf" "$conf"

init restart 0
[ "$(cat "$pid_file")" != "$pid" ] || fail "restart didn't"
wait_for 30 is_ready || fail "not ready after restart"

# A log file that was moved away is begun anew.
mv "$scratch/log" "$scratch/log.1"
kill -USR1 "$(cat "$pid_file")"
wait_for 5 test -e "$scratch/log" || fail "the log was not opened again"

# What was broken while it ran can still be stopped.
echo "$wrong" >>"$conf"
init stop 0
nothing_runs || fail "left over: $(instance_pids)"
cp "$scratch/good.conf" "$conf"
init status 3
init stop 0
init reload 7

# A pid file that a crash left, with another process's number.
echo $$ >"$pid_file"
init status 1
init start 0
wait_for 30 is_ready || fail "not ready with a pid file left over"
init stop 0
nothing_runs || fail "left over: $(instance_pids)"
