# A private instance for the tests of the daemon; sourced. Needs $scratch, and
# $run_as, the command prefix of the user who runs it ("" for the caller).

# Whoever's it is, youyund takes no configuration that a group may change.
umask 022

fail()
{
	echo "FAIL: $*" >&2
	[ ! -s "$scratch/log" ] || sed 's/^/  log: /' "$scratch/log" >&2
	exit 1
}

skip()
{
	echo "SKIP: $*"
	exit 77
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for()
{
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $tries -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.1
	done
}

need_tools()
{
	for tool in openssl curl pgrep; do
		command -v $tool >/dev/null 2>&1 ||
		    skip "$tool is not installed"
	done
	[ -w /dev/shm ] || skip "/dev/shm can't be written"
}

# new_certificate NAME: into the same files, whose owner stays.
new_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -keyout "$scratch/new.key" -out "$scratch/new.crt" \
	    -days 2 -subj "/CN=$1" 2>/dev/null || fail "openssl req"
	[ -e "$scratch/server.key" ] || install -m 640 /dev/null \
	    "$scratch/server.key"
	cat "$scratch/new.key" >"$scratch/server.key"
	cat "$scratch/new.crt" >"$scratch/server.crt"
	rm -f "$scratch/new.key" "$scratch/new.crt"
}

# make_conf USER: $conf and the certificate, owned by USER where we are root.
make_conf()
{
	conf=$scratch/youyun.conf
	port=$((10000 + $$ % 10000))
	new_certificate localhost
	mkdir -p "$scratch/var"
	cat >"$conf" <<-END
	user = $1
	state_dir = $scratch/var/state
	tls_certificate = $scratch/server.crt
	tls_key = $scratch/server.key
	listen = 127.0.0.1:$port
	workers = 1
	max_keys = 1000
	max_accounts = 1000
	holds_per_worker = 256
	ring_records = 1024
	shutdown_timeout = 2s
	log_level = info
	END
	[ "$(id -u)" -ne 0 ] || chown -R "$1" "$scratch/var" "$scratch/server.key"
}

is_ready()
{
	[ "$(curl -sk -o /dev/null -w '%{http_code}' \
	    "https://127.0.0.1:$port/readyz")" = 200 ]
}

# child_of PID NAME: the pid of its child of that process name.
child_of()
{
	pgrep -P "$1" -x "$2"
}

# Everything that has the instance's lock open: all its processes.
instance_pids()
{
	find /proc/[0-9]*/fd -lname "$scratch/var/state/lock" 2>/dev/null |
	    sed 's|/proc/\([0-9]*\)/.*|\1|' | sort -u
}

nothing_runs()
{
	[ -z "$(instance_pids)" ]
}

# Whatever a failed test left; by its own lock, nobody else's processes.
kill_instance()
{
	for pid in $(instance_pids); do
		kill -9 "$pid" 2>/dev/null || true
	done
	for segment in $(sed -n 's/.*segment made: name=\([^ ]*\).*/\1/p' \
	    "$scratch"/log* 2>/dev/null); do
		rm -f "/dev/shm$segment"
	done
}
