#!/usr/bin/env bash
# A throw-away RabbitMQ for the tests that need a real broker.
#
#   deploy/dev/rabbitmq.sh start     start an empty one, wait, print the URL
#   deploy/dev/rabbitmq.sh stop      stop it
#   deploy/dev/rabbitmq.sh kill      end it at once, as a power failure would
#   deploy/dev/rabbitmq.sh status    exit 0 and print the URL when it answers, else exit 1
#   deploy/dev/rabbitmq.sh url       print the URL of the started one
#
# Environment:
#   RABBITMQ_PORT       port on 127.0.0.1; "auto" takes the first free one from 5682 on.
#                       Without it: 5682, or the next free one when 5682 is taken.
#   RABBITMQ_RUN_DIR    run folder (default: .dev/rabbitmq in the checkout); every folder has a broker of its own
#   RABBITMQ_RUN_USER   unprivileged user when started by root (default: rabbitmq, else nobody)
#   RABBITMQ_KEEP_DATA  set to 1 to keep queues and messages of the last run; otherwise each start is empty
#   RABBITMQ_WAIT       seconds to wait for the broker (default 90)
#
# Exit codes: 0 fine, 1 failure, 2 wrong usage, 3 no RabbitMQ.
#
# It is the one of the distribution (Debian: apt-get install --no-install-recommends rabbitmq-server), without plugins,
# and listens on the loopback interface alone. Erlang starts its port mapper (epmd) beside it, which stays.

set -euo pipefail

die() { local code=$1; shift; printf 'rabbitmq.sh: %s\n' "$*" >&2; exit "$code"; }
note() { printf 'rabbitmq.sh: %s\n' "$*" >&2; }

wait_seconds=${RABBITMQ_WAIT:-90}
default_port=5682
checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

# --- who runs it, and where -------------------------------------------------------------------------

user=${RABBITMQ_RUN_USER:-}
if [ -z "$user" ]; then
    if id -u rabbitmq >/dev/null 2>&1; then user=rabbitmq; else user=nobody; fi
fi
as_user=()
if [ "$(id -u)" -eq 0 ]; then
    id -u "$user" >/dev/null 2>&1 || die 1 "there is no user '$user'"
    if command -v setpriv >/dev/null 2>&1; then
        as_user=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --clear-groups --)
    elif command -v runuser >/dev/null 2>&1; then
        as_user=(runuser -u "$user" --)
    else
        die 1 "started by root, but neither setpriv nor runuser is there to change to '$user'"
    fi
fi
reachable() { [ ${#as_user[@]} -eq 0 ] || "${as_user[@]}" test -x "$1"; }

run=${RABBITMQ_RUN_DIR:-$checkout/.dev/rabbitmq}
case $run in /*) ;; *) run=$PWD/$run ;; esac
umask 022
mkdir -p -- "$run"
if ! reachable "$run"; then
    [ -z "${RABBITMQ_RUN_DIR:-}" ] || die 1 "user '$user' cannot reach $run"
    run=/var/tmp/rabbitmq-dev-$(id -u)
    mkdir -p -- "$run"
    [ -O "$run" ] && [ ! -L "$run" ] || die 1 "$run belongs to someone else"
    reachable "$run" || die 1 "user '$user' cannot reach $run"
fi
pid_file=$run/broker.pid
port_file=$run/port

# --- helpers ----------------------------------------------------------------------------------------

find_program() {
    local candidate
    # The script of the package itself: the one in /usr/sbin changes user and folder.
    for candidate in /usr/lib/rabbitmq/bin/rabbitmq-server /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server \
        /opt/rabbitmq/sbin/rabbitmq-server; do
        if [ -x "$candidate" ]; then
            program=$candidate
            return 0
        fi
    done
    die 3 "no RabbitMQ found; install it (Debian: apt-get install --no-install-recommends rabbitmq-server)"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

answers() { # <port>: does it greet who speaks AMQP 0-9-1?
    local answer
    answer=$(
        exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'AMQP\x00\x00\x09\x01' >&3
        # The first frame is a method (1) on channel 0.
        timeout 5 head -c 3 <&3 | od -An -tx1 | tr -d ' \n'
    ) || return 1
    [ "$answer" = 010000 ]
}

# The process of the pid file, if it is really ours (pids are used again).
live_pid() {
    local pid
    [ -r "$pid_file" ] || return 1
    pid=$(cat -- "$pid_file" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ -r "/proc/$pid/environ" ] || return 1
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qxF -- "RABBITMQ_MNESIA_BASE=$run/data" || return 1
    printf '%s\n' "$pid"
}

choose_port() {
    local wanted=${RABBITMQ_PORT:-} candidate
    if [ -n "$wanted" ] && [ "$wanted" != auto ]; then
        [[ $wanted =~ ^[0-9]+$ ]] && [ "$wanted" -ge 1 ] && [ "$wanted" -le 60000 ] || die 2 "RABBITMQ_PORT is not a port up to 60000: $wanted"
        ! listening "$wanted" || die 1 "port $wanted is taken"
        port=$wanted
        return
    fi
    for ((candidate = default_port; candidate < default_port + 200; candidate++)); do
        if ! listening "$candidate" && ! listening $((candidate + 5000)); then port=$candidate; return; fi
    done
    die 1 "no free port from $default_port on"
}

# --- commands ---------------------------------------------------------------------------------------

start() {
    local port waited pid
    if pid=$(live_pid) && [ -r "$port_file" ] && answers "$(cat -- "$port_file")"; then
        url
        return 0
    fi
    [ -z "${pid:-}" ] || stop
    find_program
    choose_port
    if [ "${RABBITMQ_KEEP_DATA:-}" != 1 ]; then rm -rf -- "$run/data"; fi
    rm -rf -- "$run/logs" "$run/home" "$pid_file" "$port_file"
    mkdir -p -- "$run/data" "$run/logs" "$run/home"
    : >"$run/plugins"
    cat >"$run/rabbitmq.conf" <<EOF
listeners.tcp.1 = 127.0.0.1:$port
loopback_users = none
default_user = opencti
default_pass = opencti
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 512MB
max_message_size = 536870912
consumer_timeout = 86400000
log.console = true
log.console.level = warning
EOF
    if [ ${#as_user[@]} -ne 0 ]; then chown -R "$(id -u "$user"):$(id -g "$user")" -- "$run"; fi
    note "starting RabbitMQ on port $port"
    # "Under systemd" the script becomes the virtual machine, instead of waiting for it: signals reach the broker itself.
    # The node's own port stands beside the broker's, so that several can run.
    env -i PATH="$PATH" HOME="$run/home" LANG=C.UTF-8 RUNNING_UNDER_SYSTEMD=1 ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_MNESIA_BASE="$run/data" RABBITMQ_LOG_BASE="$run/logs" RABBITMQ_PID_FILE="$run/node.pid" \
        RABBITMQ_CONFIG_FILE="$run/rabbitmq.conf" RABBITMQ_CONF_ENV_FILE="$run/none" RABBITMQ_ENABLED_PLUGINS_FILE="$run/plugins" \
        RABBITMQ_NODENAME="dev-$port@localhost" RABBITMQ_DIST_PORT=$((port + 5000)) RABBITMQ_NODE_PORT="$port" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none" \
        setsid "${as_user[@]}" sh -c 'echo $$ >"$1"; exec "$2"' sh "$pid_file" "$program" >"$run/console.log" 2>&1 </dev/null &
    local child=$!
    for ((waited = 0; waited < wait_seconds * 4; waited++)); do
        if live_pid >/dev/null && answers "$port"; then
            printf '%s\n' "$port" >"$port_file"
            url
            return 0
        fi
        if ! kill -0 "$child" 2>/dev/null; then break; fi
        sleep 0.25
    done
    tail -n 25 -- "$run/console.log" >&2 || true
    stop
    die 1 "the broker did not come up; see $run/console.log"
}

signal() { # <signal> <pid>
    kill "-$1" "$2" 2>/dev/null || true
}

stop() {
    local pid i
    if ! pid=$(live_pid); then
        rm -f -- "$port_file"
        note "not running"
        return 0
    fi
    signal TERM "$pid"
    for ((i = 0; i < 80; i++)); do
        live_pid >/dev/null || break
        [ "$i" -ne 60 ] || signal KILL "$pid"
        sleep 0.25
    done
    rm -f -- "$port_file" "$pid_file"
    note "stopped"
}

end_at_once() {
    local pid i
    pid=$(live_pid) || die 1 "not running"
    signal KILL "$pid"
    for ((i = 0; i < 40; i++)); do
        live_pid >/dev/null || break
        sleep 0.25
    done
    rm -f -- "$pid_file"
    note "killed"
}

url() {
    live_pid >/dev/null && [ -r "$port_file" ] || die 1 "not running"
    printf 'amqp://opencti:opencti@127.0.0.1:%s\n' "$(cat -- "$port_file")"
}

status() {
    local address
    address=$(url) || exit 1
    answers "${address##*:}" || die 1 "process is there, but $address does not answer"
    printf '%s\n' "$address"
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    kill) end_at_once ;;
    status) status ;;
    url) url ;;
    -h | --help | help) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
    *) die 2 "usage: rabbitmq.sh start|stop|kill|status|url (see --help)" ;;
esac
