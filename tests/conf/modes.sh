#!/bin/sh
# Files that others may read or change are told at the start, all of them at
# once, with the command that mends each; and secrets come from systemd's
# credentials when the configuration names them so.
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
	cp "$youyund" "$youyunctl" "$scratch"
	youyund=$scratch/youyund
	youyunctl=$scratch/youyunctl
fi
make_conf "$user"
mkdir "$scratch/keys"
printf '%s\n' 0123456789012345678901234567890123456789 >"$scratch/keys/pay"
chmod 640 "$scratch/keys/pay"
[ "$(id -u)" -ne 0 ] || chown -R "$user" "$scratch/keys"
echo "payment_secret_file = $scratch/keys/pay" >>"$conf"
$run_as "$youyunctl" -c "$conf" init >"$scratch/init" 2>&1 || {
	cat "$scratch/init"
	fail "youyunctl init"
}
state=$scratch/var/state

# Both look, and say the same.
looks()
{
	$run_as "$youyund" -t -c "$conf" >"$scratch/out" 2>&1
	one=$?
	$run_as "$youyunctl" -c "$conf" secret check >"$scratch/out2" 2>&1
	other=$?
	if [ $one -eq 0 ]; then
		[ $other -eq 0 ] || fail "youyunctl: $(cat "$scratch/out2")"
		return 0
	fi
	[ $one -eq 78 ] || fail "exit status $one"
	[ $other -eq 1 ] || fail "youyunctl secret check: status $other"
	while read -r line; do
		grep -qxF -- "$line" "$scratch/out2" ||
		    fail "youyunctl doesn't say: $line"
	done <"$scratch/out"
	return 1
}

told()
{
	grep -qxF -- "$conf: $1" "$scratch/out" ||
	    fail "not told: $1; but: $(cat "$scratch/out")"
}

looks || fail "what is right is refused: $(cat "$scratch/out")"

echo "# each alone, and mended by the command that is told"
one()
{
	path=$2
	was=$(stat -c %a "$path")
	chmod "$3" "$path"
	looks && fail "$path with mode $3 is accepted"
	[ "$(wc -l <"$scratch/out")" -eq 1 ] ||
	    fail "more than one: $(cat "$scratch/out")"
	told "$1$path: mode $3: $4 it; chmod $5 $path"
	chmod "$5" "$path"
	looks || fail "chmod $5 doesn't mend it: $(cat "$scratch/out")"
	chmod "$was" "$path"
}
one "" "$conf" 0664 "its group may change" 0644
one "" "$conf" 0646 "others may change" 0644
one "" "$scratch" 0757 "others may change" 0755
one "secrets_file: " "$state/secrets" 0644 "others may read" 0640
one "secrets_file: " "$state/secrets" 0660 "its group may change" 0640
one "tls_key: " "$scratch/server.key" 0644 "others may read" 0640
one "tls_certificate: " "$scratch/server.crt" 0666 \
    "its group and others may change" 0644
one "payment_secret_file: " "$scratch/keys/pay" 0604 "others may read" 0600
one "state_dir: " "$state" 0777 "its group and others may read and change" 0751
one "run_dir: " "$state/run" 0775 "its group may change" 0755

echo "# a connection string with a password is a secret, too"
sed 's|^state_dir|database = "host=/nowhere dbname=y password=p"\n&|' "$conf" \
    >"$scratch/other.conf"
chmod 644 "$scratch/other.conf"
$run_as "$youyund" -t -c "$scratch/other.conf" >"$scratch/out" 2>&1
grep -q "other.conf: mode 0644: others may read it; chmod 0640" \
    "$scratch/out" || fail "no word of the password: $(cat "$scratch/out")"
chmod 640 "$scratch/other.conf"
[ "$(id -u)" -ne 0 ] || chown "$user" "$scratch/other.conf"
$run_as "$youyund" -t -c "$scratch/other.conf" >"$scratch/out" 2>&1 ||
    fail "0640 is refused: $(cat "$scratch/out")"

echo "# all of them at once"
chmod 666 "$conf" "$scratch/server.key" "$scratch/server.crt"
chmod 644 "$state/secrets" "$scratch/keys/pay"
chmod 770 "$state"
looks && fail "six mistakes are accepted"
[ "$(wc -l <"$scratch/out")" -eq 6 ] || fail "six: $(cat "$scratch/out")"
if [ "$(id -u)" -eq 0 ]; then
	chown daemon "$scratch/server.key"
	looks
	told "tls_key: $scratch/server.key: owner daemon may change it; chown nobody $scratch/server.key"
	[ "$(wc -l <"$scratch/out")" -eq 7 ] || fail "$(cat "$scratch/out")"
	chown "$user" "$scratch/server.key"
fi
sed -n 's/.*; \(ch[a-z]* .*\)/\1/p' "$scratch/out" | sed '/^chown/d' \
    >"$scratch/mend"
sh "$scratch/mend"
looks || fail "the commands don't mend it: $(cat "$scratch/out")"

echo "# credentials of systemd"
mkdir -p "$scratch/credentials"
for name in server.crt server.key; do
	mv "$scratch/$name" "$scratch/credentials/gateway.${name#*.}"
done
mv "$state/secrets" "$scratch/credentials/sealing"
chmod 440 "$scratch/credentials"/*
chmod 550 "$scratch/credentials"
[ "$(id -u)" -ne 0 ] || chown -R "$user" "$scratch/credentials"
sed -e 's|^tls_key.*|tls_key = gateway.key|' \
    -e 's|^tls_cert.*|tls_certificate = gateway.crt|' "$conf" >"$scratch/c"
cat "$scratch/c" >"$conf"
echo "secrets_file = sealing" >>"$conf"
CREDENTIALS_DIRECTORY=$scratch/credentials
$run_as "$youyund" -t -c "$conf" >"$scratch/out" 2>&1 &&
    fail "credentials without a folder"
told "tls_key: /run/credentials/youyun.service/gateway.key: No such file or directory"
export CREDENTIALS_DIRECTORY
looks || fail "credentials are refused: $(cat "$scratch/out")"
"$youyund" -T -c "$conf" | grep -qxF \
    "secrets_file = $scratch/credentials/sealing" || fail "-T"
$run_as "$youyund" -f -c "$conf" >>"$scratch/log" 2>&1 &
wait_for 60 is_ready || fail "not ready with credentials"
master=$(cat "$state/run/youyund.pid")
echo "# a reload finds them again"
sed 's|^shutdown_timeout.*|shutdown_timeout = 1s|' "$conf" >"$scratch/c"
cat "$scratch/c" >"$conf"
kill -HUP "$master"
wait_for 30 grep -q "the new configuration is at work" "$scratch/log" ||
    fail "no reload"
wait_for 30 is_ready || fail "not ready after a reload"
echo "# and what is wrong at a reload changes nothing"
chmod 664 "$conf"
kill -HUP "$master"
wait_for 30 grep -q "mode 0664: its group may change it; chmod 0644" \
    "$scratch/log" || fail "a reload doesn't look at modes"
is_ready || fail "not ready"
kill "$master"
wait_for 60 nothing_runs || fail "something is left"
for name in ../gateway.key a/b .hidden; do
	echo "payment_public_key = $name" | cat "$conf" - >"$scratch/c"
	"$youyund" -T -c "$scratch/c" >/dev/null 2>"$scratch/out" &&
	    fail "$name is a credential"
	grep -q "neither an absolute path nor the name of a credential; allowed a path from / on, or the name of a systemd credential" \
	    "$scratch/out" || fail "$(cat "$scratch/out")"
done
exit 0
