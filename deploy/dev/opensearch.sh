#!/usr/bin/env bash
# A throw-away OpenSearch for the tests that need a real one.
#
#   deploy/dev/opensearch.sh start     download (once), start, wait, print the URL
#   deploy/dev/opensearch.sh stop      stop it
#   deploy/dev/opensearch.sh status    exit 0 and print the URL when it answers, else exit 1
#   deploy/dev/opensearch.sh url       print the URL of the started one
#
# Environment:
#   OPENSEARCH_PORT       port on 127.0.0.1; "auto" takes the first free one from 9217 on.
#                         Without it: 9217, or the next free one when 9217 is taken.
#   OPENSEARCH_HOME_DIR   cache and run folder (default: .dev/opensearch in the checkout)
#   OPENSEARCH_VERSION    default 2.19.4
#   OPENSEARCH_HEAP       default 512m
#   OPENSEARCH_RUN_USER   unprivileged user when started by root (default: nobody)
#   OPENSEARCH_KEEP_DATA  set to 1 to keep the indices of the last run; otherwise each start is empty
#   OPENSEARCH_WAIT       seconds to wait for the node (default 120)
#
# Exit codes: 0 fine, 1 failure, 2 wrong usage, 3 no usable Java, 4 no Maven (or no program to unzip).
#
# What is started is the minimal distribution that OpenSearch publishes as a Maven artifact, without the
# security plugin (plain HTTP, loopback only). It has one module, transport-netty4; the field types of
# mapper-extras (scaled_float and others) are added from their own artifact. There is no ingest processor,
# no Painless, no reindex, no index state management and no zstd codec; a composable template of Wazuh 5.x
# loads when index.codec and plugins.index_state_management.* are taken out of its settings.

set -euo pipefail

die() { local code=$1; shift; printf 'opensearch.sh: %s\n' "$*" >&2; exit "$code"; }
note() { printf 'opensearch.sh: %s\n' "$*" >&2; }

version=${OPENSEARCH_VERSION:-2.19.4}
heap=${OPENSEARCH_HEAP:-512m}
user=${OPENSEARCH_RUN_USER:-nobody}
wait_seconds=${OPENSEARCH_WAIT:-120}
default_port=9217
checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

# --- who runs it, and where -------------------------------------------------------------------------

as_user=()
if [ "$(id -u)" -eq 0 ]; then
    id -u "$user" >/dev/null 2>&1 || die 1 "OpenSearch refuses to run as root and there is no user '$user'"
    [ "$(id -u "$user")" -ne 0 ] || die 1 "OPENSEARCH_RUN_USER must not be root"
    if command -v setpriv >/dev/null 2>&1; then
        as_user=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --clear-groups --)
    elif command -v runuser >/dev/null 2>&1; then
        as_user=(runuser -u "$user" --)
    else
        die 1 "started by root, but neither setpriv nor runuser is there to change to '$user'"
    fi
fi

# The unprivileged user must be able to reach the folder: a checkout below a closed home directory is moved
# to a folder of its own below /var/tmp.
reachable() { [ ${#as_user[@]} -eq 0 ] || "${as_user[@]}" test -x "$1"; }

base=${OPENSEARCH_HOME_DIR:-$checkout/.dev/opensearch}
case $base in /*) ;; *) base=$PWD/$base ;; esac
umask 022
mkdir -p -- "$base"
if ! reachable "$base"; then
    [ -z "${OPENSEARCH_HOME_DIR:-}" ] || die 1 "user '$user' cannot reach $base"
    base=/var/tmp/opensearch-dev-$(id -u)
    mkdir -p -- "$base"
    [ -O "$base" ] && [ ! -L "$base" ] || die 1 "$base belongs to someone else"
    reachable "$base" || die 1 "user '$user' cannot reach $base"
fi
home=$base/opensearch-$version
run=$base/run
pid_file=$run/opensearch.pid
port_file=$run/port

# --- helpers ----------------------------------------------------------------------------------------

java_major() { # <java program>: prints the feature version
    "$1" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9][0-9]*\).*/\2/p' | head -n 1
}

# OpenSearch 2.x needs Java 11 or later, and one that still knows the Security Manager: 24 removed it.
find_java() {
    local candidate major seen=
    for candidate in "${OPENSEARCH_JAVA_HOME:+$OPENSEARCH_JAVA_HOME/bin/java}" "${JAVA_HOME:+$JAVA_HOME/bin/java}" \
        "$(command -v java || true)" /usr/lib/jvm/*/bin/java /opt/*/bin/java; do
        if [ -z "$candidate" ] || [ ! -x "$candidate" ]; then continue; fi
        major=$(java_major "$candidate")
        [ -n "$major" ] || continue
        if [ "$major" -ge 11 ] && [ "$major" -le 23 ]; then
            java_home=$(dirname -- "$(dirname -- "$(readlink -f -- "$candidate")")")
            return 0
        fi
        seen="$seen $major"
    done
    die 3 "no Java between 11 and 23 found${seen:+ (only:$seen)}; install one (Debian: openjdk-17-jre-headless) or set JAVA_HOME"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

answers() { # <port>: is there an HTTP 200 from the cluster health?
    local line
    line=$(
        exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'GET /_cluster/health?timeout=5s HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
        head -n 1 <&3
    ) || return 1
    case $line in *" 200 "*) return 0 ;; *) return 1 ;; esac
}

# The process of the pid file, if it is really ours (pids are used again).
live_pid() {
    local pid
    [ -r "$pid_file" ] || return 1
    pid=$(cat -- "$pid_file" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "-Dopensearch.path.conf=$run/config" || return 1
    printf '%s\n' "$pid"
}

artifact() { # <group:name:version:packaging>: into $base/download, once
    command -v mvn >/dev/null 2>&1 || die 4 "Maven (mvn) is needed for the first download; Debian: apt-get install maven"
    note "fetching $1"
    # Maven colours its (otherwise empty) output even in batch mode, hence the file.
    local log=$base/download/maven.log
    (cd -- "$base/download" && JAVA_HOME=$java_home mvn -q -B -Dstyle.color=never dependency:copy "-Dartifact=$1" "-DoutputDirectory=$base/download") >"$log" 2>&1 </dev/null ||
        { cat -- "$log" >&2; die 1 "download of $1 failed"; }
    rm -f -- "$log"
}

install_once() {
    local zip=$base/download/opensearch-$version.zip jar=$base/download/mapper-extras-client-$version.jar part=$base/unpack.$$
    [ -e "$home/.complete" ] && return 0
    mkdir -p -- "$base/download"
    [ -s "$zip" ] || artifact "org.opensearch.distribution.integ-test-zip:opensearch:$version:zip"
    [ -s "$jar" ] || artifact "org.opensearch.plugin:mapper-extras-client:$version:jar"
    rm -rf -- "$part" "$home"
    mkdir -- "$part"
    if command -v unzip >/dev/null 2>&1; then
        unzip -q "$zip" -d "$part"
    elif command -v python3 >/dev/null 2>&1; then
        python3 -m zipfile -e "$zip" "$part"
    elif [ -x "$java_home/bin/jar" ]; then
        (cd -- "$part" && "$java_home/bin/jar" xf "$zip")
    else
        die 4 "nothing to unpack a zip file with: install unzip"
    fi
    local plugin=$part/opensearch-$version/plugins/mapper-extras
    mkdir -p -- "$plugin"
    cp -- "$jar" "$plugin/"
    cat >"$plugin/plugin-descriptor.properties" <<EOF
name=mapper-extras
description=Further field types
version=$version
opensearch.version=$version
java.version=11
classname=org.opensearch.index.mapper.MapperExtrasPlugin
has.native.controller=false
EOF
    chmod -R a+rX -- "$part"
    chmod a+x -- "$part/opensearch-$version/bin/"*
    mv -- "$part/opensearch-$version" "$home"
    rmdir -- "$part"
    touch -- "$home/.complete"
}

choose_port() {
    local wanted=${OPENSEARCH_PORT:-} candidate
    if [ -n "$wanted" ] && [ "$wanted" != auto ]; then
        [[ $wanted =~ ^[0-9]+$ ]] && [ "$wanted" -ge 1 ] && [ "$wanted" -le 65535 ] || die 2 "OPENSEARCH_PORT is not a port: $wanted"
        ! listening "$wanted" || die 1 "port $wanted is taken"
        port=$wanted
        return
    fi
    for ((candidate = default_port; candidate < default_port + 200; candidate++)); do
        if ! listening "$candidate"; then port=$candidate; return; fi
    done
    die 1 "no free port from $default_port on"
}

write_config() {
    mkdir -p -- "$run/config" "$run/data" "$run/logs" "$run/tmp"
    cp -- "$home/config/log4j2.properties" "$run/config/"
    cat >"$run/config/opensearch.yml" <<EOF
cluster.name: dev
node.name: dev
discovery.type: single-node
http.host: 127.0.0.1
http.port: $port
transport.host: 127.0.0.1
transport.port: 0
path.data: $run/data
path.logs: $run/logs
node.store.allow_mmap: false
cluster.routing.allocation.disk.threshold_enabled: false
cluster.max_shards_per_node: 5000
EOF
    # The stock file without the garbage collection log and heap dumps, which go to the program's folder.
    cat >"$run/config/jvm.options" <<EOF
-Xms$heap
-Xmx$heap
-XX:+UseG1GC
-Djava.io.tmpdir=\${OPENSEARCH_TMPDIR}
18-:-Djava.security.manager=allow
-Djava.util.concurrent.ForkJoinPool.common.threadFactory=org.opensearch.secure_sm.SecuredForkJoinWorkerThreadFactory
EOF
    if [ ${#as_user[@]} -ne 0 ]; then chown -R "$(id -u "$user"):$(id -g "$user")" -- "$run"; fi
}

# --- commands ---------------------------------------------------------------------------------------

start() {
    local pid port waited
    if pid=$(live_pid) && [ -r "$port_file" ] && answers "$(cat -- "$port_file")"; then
        url
        return 0
    fi
    [ -z "${pid:-}" ] || stop
    find_java
    if [ ${#as_user[@]} -ne 0 ] && ! "${as_user[@]}" test -x "$java_home/bin/java"; then
        die 3 "user '$user' cannot run $java_home/bin/java"
    fi
    install_once
    choose_port
    [ "${OPENSEARCH_KEEP_DATA:-}" = 1 ] || rm -rf -- "$run/data"
    rm -rf -- "$run/config" "$run/logs" "$run/tmp" "$pid_file" "$port_file"
    write_config
    note "starting OpenSearch $version on port $port"
    env -u OPENSEARCH_HOME -u OPENSEARCH_JAVA_OPTS -u ES_JAVA_OPTS -u JAVA_TOOL_OPTIONS \
        HOME="$run/tmp" JAVA_HOME="$java_home" OPENSEARCH_JAVA_HOME="$java_home" \
        OPENSEARCH_PATH_CONF="$run/config" OPENSEARCH_TMPDIR="$run/tmp" \
        setsid "${as_user[@]}" "$home/bin/opensearch" -p "$pid_file" >"$run/console.log" 2>&1 </dev/null &
    local child=$!
    for ((waited = 0; waited < wait_seconds * 2; waited++)); do
        if live_pid >/dev/null && answers "$port"; then
            printf '%s\n' "$port" >"$port_file"
            url
            return 0
        fi
        if ! kill -0 "$child" 2>/dev/null && ! live_pid >/dev/null; then break; fi
        sleep 0.5
    done
    tail -n 25 -- "$run/console.log" >&2 || true
    stop
    die 1 "the node did not come up; see $run/console.log and $run/logs"
}

stop() {
    local pid i
    if ! pid=$(live_pid); then
        rm -f -- "$port_file"
        note "not running"
        return 0
    fi
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 60; i++)); do
        live_pid >/dev/null || break
        [ "$i" -ne 50 ] || kill -9 "$pid" 2>/dev/null || true
        sleep 0.5
    done
    rm -f -- "$port_file" "$pid_file"
    note "stopped"
}

url() {
    live_pid >/dev/null && [ -r "$port_file" ] || die 1 "not running"
    printf 'http://127.0.0.1:%s\n' "$(cat -- "$port_file")"
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
    status) status ;;
    url) url ;;
    -h | --help | help) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
    *) die 2 "usage: opensearch.sh start|stop|status|url (see --help)" ;;
esac
