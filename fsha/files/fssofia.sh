# shellcheck shell=sh disable=SC2034,SC2153,SC2154 # set for, or by, whoever reads it
# What the LSB script FSSofia and the OCF agent ocf:fsha:FSSofia have in common: asking a FreeSWITCH
# through fs_cli, starting and stopping its Sofia profiles, and the stamps that tell who did. It is
# read with a dot by either of them, as /usr/lib/fsha/fssofia.sh, under any POSIX shell.
#
# Whoever reads it sets PROFILES, VIPS, FS_CLI, HOST, PORT, PASSWORD_FILE, RECOVER, SWITCH_WAIT,
# BIND_WAIT, TEARDOWN_MS, CONNECT_TIMEOUT_MS, REPLY_TIMEOUT_MS, ACTION_TIMEOUT_MS, RUNTIME_DIR and
# SWITCH_PROCESS, and defines say, complain, fail_start and fail_stop; the last two do not return.
#
# SPDX-License-Identifier: Apache-2.0

FSCLI_TIMED_OUT=254
FSCLI_NO_CONNECTION=255
TIMEOUT_TERM=124
TIMEOUT_KILL=137
POLL=0.2
# shellcheck disable=SC2016 # FreeSWITCH expands it
EVERYTHING='expand echo ready=${fsctl(ready_check)} core=${global_getvar(core_uuid)} inbound=${fsctl(pause_check inbound)} outbound=${fsctl(pause_check outbound)} ${sofia(xmlstatus)}'
SHORTEST_MS=300 # what a question gets when there is no time left
LINGER=8  # seconds; a socket that stays longer after its profile's stop has sessions that linger
LATEST=31 # seconds from a profile's stop until its name is free, whatever its sessions do

# --- what a setting may be ----------------------------------------------------------------------
# The same as in _utils/fshalib/pillar/own_agents.py; a test compares the two.

# The shell takes a number that begins with 0 for an octal one, and long ones run over.
is_number() {
    case $1 in
    '' | *[!0-9]* | 0?* | ??????????*) return 1 ;;
    esac
}

is_port() {
    is_number "$1" && [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

# Set TRUTH to yes or no by what Pacemaker takes for true or false; to nothing for any other word.
read_truth() {
    case $1 in
    [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn] | [Yy] | 1) TRUTH=yes ;;
    [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff] | [Nn] | 0) TRUTH=no ;;
    *) TRUTH='' ;;
    esac
}

is_profile_name() {
    case $1 in
    '' | [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) return 1 ;;
    esac
}

is_ipv4() {
    case $1 in
    *[!0-9.]* | *.*.*.*.*) return 1 ;;
    *.*.*.*) ;;
    *) return 1 ;;
    esac
    octets=$1.
    while [ -n "$octets" ]; do
        octet=${octets%%.*}
        octets=${octets#*.}
        case $octet in '' | 0?* | ????*) return 1 ;; esac
        [ "$octet" -le 255 ] || return 1
    done
}

is_ipv6() {
    hextets=$1
    case $hextets in
    *[!0-9A-Fa-f:.]* | *:::* | *::*::* | :[!:]* | *[!:]:) return 1 ;;
    *:*.*) # its end may be written like IPv4
        is_ipv4 "${hextets##*:}" || return 1
        hextets=${hextets%:*}:0:0
        ;;
    *.*) return 1 ;;
    esac
    counted=0
    hextets=$hextets:
    while [ -n "$hextets" ]; do
        hextet=${hextets%%:*}
        hextets=${hextets#*:}
        case $hextet in
        '') continue ;;
        ?????*) return 1 ;;
        esac
        counted=$((counted + 1))
    done
    case $1 in
    *::*) [ "$counted" -le 7 ] ;;
    *) [ "$counted" -eq 8 ] ;;
    esac
}

# An address without a prefix length.
is_address() {
    is_ipv4 "$1" || is_ipv6 "$1"
}

# An address, or a host's name; digits and dots alone are an address or nothing.
is_host() {
    is_address "$1" && return
    case $1 in
    '' | [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) return 1 ;;
    *[!0-9.]*) ;;
    *) return 1 ;;
    esac
}

# ADDRESS:PORT, or [ADDRESS]:PORT for IPv6.
is_target() {
    is_port "${1##*:}" || return 1
    case $1 in
    \[*\]:*)
        bracketed=${1%]:*}
        is_ipv6 "${bracketed#[}"
        ;;
    *:*:*) return 1 ;;
    *:*) is_host "${1%:*}" ;;
    *) return 1 ;;
    esac
}

is_path() {
    case $1 in
    /*[!A-Za-z0-9._+@/-]*) return 1 ;;
    /*) ;;
    *) return 1 ;;
    esac
}

# /proc/PID/comm has no more than 15 bytes.
is_process_name() {
    case $1 in
    '' | *[!A-Za-z0-9_.+:@-]* | ????????????????*) return 1 ;;
    esac
}

# For both agents, whose parameters these are.
validate_event_socket() {
    is_host "$HOST" || misconfigured "host='$HOST': an address or a host's name is expected"
    is_port "$PORT" || misconfigured "port=$PORT: a whole number from 1 to 65535 is expected"
    is_path "$FS_CLI" || misconfigured "fs_cli='$FS_CLI': an absolute path is expected"
    is_path "$PASSWORD_FILE" ||
        misconfigured "password_file='$PASSWORD_FILE': an absolute path is expected"
    is_process_name "$SWITCH_PROCESS" || misconfigured \
        "switch_process='$SWITCH_PROCESS': the name in /proc/PID/comm is expected, 15 characters at most"
}

# --- time -------------------------------------------------------------------------------------

# Set NOW to hundredths of a second since boot; no clock step can change it.
read_now() {
    read -r NOW _ </proc/uptime
    NOW=${NOW%.*}${NOW#*.}
}

# Set DEADLINE to $1 seconds from now.
set_deadline() {
    read_now
    BEGAN=$NOW
    DEADLINE=$((NOW + $1 * 100))
}

expired() {
    read_now
    [ "$NOW" -ge "$DEADLINE" ]
}

elapsed() {
    read_now
    ELAPSED=$(((NOW - BEGAN) / 100))
}

# --- the switch process -----------------------------------------------------------------------

# Set SWITCH to "PID STARTTIME" of the oldest process of that name in our network namespace (a
# child that it has just forked bears the same name), or to nothing.
find_switch() {
    SWITCH=''
    oldest=''
    namespace=$(readlink /proc/self/ns/net)
    set +f
    set -- /proc/[0-9]*
    set -f
    for directory in "$@"; do
        { read -r comm <"$directory/comm"; } 2>/dev/null || continue
        [ "$comm" = "$SWITCH_PROCESS" ] || continue
        [ "$(readlink "$directory/ns/net")" = "$namespace" ] || continue
        { read -r stat <"$directory/stat"; } 2>/dev/null || continue
        # shellcheck disable=SC2086 # the fields after "(comm)" are numbers and one letter
        set -- ${stat##*) }
        [ "$1" != Z ] || continue
        shift 19 # field 22 of proc(5)/stat: the start time in clock ticks after boot
        if [ -z "$oldest" ] || [ "$1" -lt "$oldest" ]; then
            oldest=$1
            SWITCH="${directory#/proc/} $1"
        fi
    done
    [ -n "$SWITCH" ]
}

event_socket_listens() {
    [ -n "$(ss -Hltn "sport = :$PORT" 2>/dev/null)" ]
}

# --- fs_cli -----------------------------------------------------------------------------------

# fs_cli reads $HOME/.fs_cli_conf (else /etc/fs_cli.conf): so the password is in no argument list.
# Sets HOME_ERROR to a sentence, or to nothing.
prepare_home() {
    HOME_ERROR=''
    if ! { mkdir -p "$RUNTIME_DIR/.home" && chmod 700 "$RUNTIME_DIR" "$RUNTIME_DIR/.home"; }; then
        HOME_ERROR="cannot make $RUNTIME_DIR: run this as root"
        return
    fi
    if [ ! -f "$PASSWORD_FILE" ] || [ ! -r "$PASSWORD_FILE" ]; then
        HOME_ERROR="PASSWORD_FILE=$PASSWORD_FILE cannot be read: put the Event Socket password there"
        return
    fi
    password=''
    IFS= read -r password <"$PASSWORD_FILE" || [ -n "$password" ] || :
    # What fs_cli's parser would cut, strip or misread (libs/esl/src/esl_config.c, fs_cli.c).
    case $password in
    '') HOME_ERROR="PASSWORD_FILE=$PASSWORD_FILE is empty" ;;
    [[:blank:]\>]* | *';;'*)
        HOME_ERROR="fs_cli cannot read the password in $PASSWORD_FILE: it begins with a blank or '>', or has ';;' in it"
        ;;
    esac
    [ ${#password} -le 127 ] ||
        HOME_ERROR="fs_cli cannot read the password in $PASSWORD_FILE: it is longer than 127 bytes"
    if [ -z "$HOME_ERROR" ]; then
        candidate=$RUNTIME_DIR/.home/.conf.$$
        { printf '[default]\nhost = %s\nport = %s\npassword = %s\n' "$HOST" "$PORT" "$password" \
            >"$candidate" && chmod 400 "$candidate" &&
            mv -f "$candidate" "$RUNTIME_DIR/.home/.fs_cli_conf"; } ||
            HOME_ERROR="cannot write in $RUNTIME_DIR/.home"
    fi
    password=''
}

# fs_cli_run REPLY_MS OPTION...: fs_cli with both of its own limits and one around it; near the
# deadline all of them get shorter.
fs_cli_run() {
    reply_ms=$1
    connect_ms=$CONNECT_TIMEOUT_MS
    shift
    if [ -n "${DEADLINE:-}" ]; then
        read_now
        left_ms=$(((DEADLINE - NOW) * 10))
        [ "$left_ms" -ge "$SHORTEST_MS" ] || left_ms=$SHORTEST_MS
        [ "$reply_ms" -le "$left_ms" ] || reply_ms=$left_ms
        [ "$connect_ms" -le "$left_ms" ] || connect_ms=$left_ms
    fi
    HOME=$RUNTIME_DIR/.home timeout -k 1 "$(((connect_ms + reply_ms + 999) / 1000 + 1))" \
        "$FS_CLI" -T "$connect_ms" -t "$reply_ms" "$@" </dev/null
}

# ask COMMAND [REPLY_MS]: sets REPLY, and ANSWER to one of
#   ok       the switch answered (what it said is in REPLY: fs_cli's exit code tells nothing)
#   absent   no switch process          closed   a process, but no Event Socket
#   refused  the password is wrong      denied   the Event Socket's access list has us out
#   hung     connected, no answer       broken   fs_cli itself failed
ask() {
    REPLY=$(fs_cli_run "${2:-$REPLY_TIMEOUT_MS}" -x "$1" 2>/dev/null)
    case $? in
    0) ANSWER=ok ;;
    "$FSCLI_TIMED_OUT" | "$TIMEOUT_TERM" | "$TIMEOUT_KILL") ANSWER=hung ;;
    "$FSCLI_NO_CONNECTION") diagnose ;;
    *) ANSWER=broken ;;
    esac
    # A switch that dies while it answers looks like a timeout to fs_cli.
    if [ "$ANSWER" = hung ] && ! find_switch; then ANSWER=absent; fi
    [ "$ANSWER" = ok ]
}

# fs_cli says 255 for a closed port, a wrong password and a silent switch alike; its debug output
# shows the replies it got. That output has the password in it: it stays in a variable.
diagnose() {
    if ! find_switch; then
        ANSWER=absent
    elif ! event_socket_listens; then
        ANSWER=closed
    else
        trace=$(fs_cli_run "$REPLY_TIMEOUT_MS" -d 7 -x status 2>&1)
        case $trace in
        *'Reply-Text] = [-ERR invalid]'*) ANSWER=refused ;;
        *'Content-Type] = [text/rude-rejection]'*) ANSWER=denied ;;
        *'Content-Type] = [api/response]'*) ANSWER=closed ;; # it has opened only now
        *) ANSWER=hung ;;
        esac
        trace=''
    fi
}

# Set WHY to what ANSWER means and what to do.
explain() {
    where="Event Socket $HOST:$PORT"
    case $ANSWER in
    absent) WHY="the switch is not running (no process '$SWITCH_PROCESS'): systemctl start freeswitch" ;;
    closed) WHY="the switch runs but its $where is closed: it is still starting, is going down, or mod_event_socket is not loaded" ;;
    refused) WHY="the $where refuses the password in $PASSWORD_FILE: it must be the one in event_socket.conf.xml" ;;
    denied) WHY="the $where turns this node away: allow $HOST in the access list of event_socket.conf.xml" ;;
    hung) WHY="the switch runs but its $where does not answer: it hangs; a restart of the switch cures it" ;;
    broken) WHY="$FS_CLI does not work: try $FS_CLI -x status by hand" ;;
    unloaded) WHY="the switch has no Sofia: it is going down, or mod_sofia is not loaded" ;;
    *) WHY="unexpected reply: $REPLY" ;;
    esac
}

# Set CORE_UUID of the running switch.
ask_core_uuid() {
    ask 'global_getvar core_uuid' || return 1
    CORE_UUID=$REPLY
    case $CORE_UUID in
    *[!0-9a-fA-F-]* | '')
        ANSWER=odd
        return 1
        ;;
    esac
}

# Set LISTING to the running profiles; `sofia xmlstatus` needs no database, unlike its longer form.
list_profiles() {
    ask 'sofia xmlstatus' || return 1
    case $REPLY in
    *'<profiles>'*) LISTING=$(printf '%s' "$REPLY" | tr -d '\r\n') ;;
    '-ERR '*'ommand not found'*)
        ANSWER=unloaded
        return 1
        ;;
    *)
        ANSWER=odd
        return 1
        ;;
    esac
}

# Set READY, CORE_UUID, PAUSED and LISTING by one question, since each takes a process of fs_cli.
# False when there is anything out of the ordinary: asked one by one it gets its name.
ask_all() {
    ask "$EVERYTHING" || return 1
    LISTING=$(printf '%s' "$REPLY" | tr -d '\r\n')
    case $LISTING in
    ready=*' core='*' inbound='*' outbound='*' <?xml'*'<profiles>'*'</profiles>'*) ;;
    *) return 1 ;;
    esac
    told=${LISTING%%' <?xml'*}
    READY=${told#ready=}
    READY=${READY%% *}
    CORE_UUID=${told#* core=}
    CORE_UUID=${CORE_UUID%% *}
    PAUSED=''
    case $told in *' inbound=true'*) PAUSED=inbound ;; esac
    case $told in *' outbound=true'*) PAUSED="$PAUSED${PAUSED:+ and }outbound" ;; esac
    case $CORE_UUID in *[!0-9a-fA-F-]* | '') return 1 ;; esac
}

# Tell whether profile $1 is RUNNING in LISTING; sets ADDRESS to the address:port it has.
is_running() {
    ADDRESS=''
    entry=${LISTING#*"<profile><name>$1</name>"}
    [ "$entry" != "$LISTING" ] || return 1
    entry=${entry%%"</profile>"*}
    case $entry in
    *'<state>RUNNING'*) ;;
    *) return 1 ;;
    esac
    ADDRESS=${entry#*<data>}
    ADDRESS=${ADDRESS%%</data>*}
    ADDRESS=${ADDRESS##*@}
    ADDRESS=${ADDRESS%%;*}
}

# Set MISSING to the configured profiles that are not RUNNING in LISTING.
find_missing() {
    MISSING=''
    for profile in $PROFILES; do
        is_running "$profile" || MISSING="$MISSING${MISSING:+ }$profile"
    done
    [ -n "$MISSING" ]
}

# --- stamps -----------------------------------------------------------------------------------
# $RUNTIME_DIR/P          P is active: core_uuid, then pid and start time of the switch
# $RUNTIME_DIR/.address.P where P was bound when it was last seen
# $RUNTIME_DIR/.stopped.P core_uuid and the time when P was stopped
# $RUNTIME_DIR/.leaving   pid and start time of a switch that is to end with its VIP

# Set STAMP_UUID and STAMP_SWITCH of profile $1.
read_stamp() {
    STAMP_UUID=''
    STAMP_SWITCH=''
    [ -f "$RUNTIME_DIR/$1" ] || return 1
    { read -r STAMP_UUID && read -r STAMP_SWITCH; } <"$RUNTIME_DIR/$1" || [ -n "$STAMP_UUID" ]
}

# Set STAMPED to all profiles that were started here, also those no longer configured.
find_stamps() {
    STAMPED=''
    set +f
    set -- "$RUNTIME_DIR"/*
    set -f
    for stamp in "$@"; do
        [ ! -f "$stamp" ] || STAMPED="$STAMPED${STAMPED:+ }${stamp##*/}"
    done
    [ -n "$STAMPED" ]
}

# Tell whether every profile bears the stamp of core_uuid $1.
all_stamped_with() {
    for profile in $PROFILES; do
        { read_stamp "$profile" && [ "$STAMP_UUID" = "$1" ]; } || return 1
    done
}

# Tell whether some stamp is of the switch process that runs now.
stamped_switch_lives() {
    find_switch && find_stamps || return 1
    for profile in $STAMPED; do
        if read_stamp "$profile" && [ "$STAMP_SWITCH" = "$SWITCH" ]; then return 0; fi
    done
    return 1
}

write_file() {
    printf '%s\n' "$2" >"$RUNTIME_DIR/.new.$$" && mv -f "$RUNTIME_DIR/.new.$$" "$RUNTIME_DIR/$1"
}

write_stamps() {
    find_switch || return 1
    for profile in $PROFILES; do
        write_file "$profile" "$CORE_UUID
$SWITCH" || return 1
    done
    forget_starting
}

remove_stamps() {
    find_stamps || return 0
    for profile in $STAMPED; do
        rm -f "$RUNTIME_DIR/$profile"
    done
}

# --- start ------------------------------------------------------------------------------------

# Wait until the Event Socket answers and the switch is ready.
wait_for_switch() {
    absent_until=$((BEGAN + SWITCH_WAIT * 100))
    while :; do
        if ask 'fsctl ready_check' && [ "$REPLY" = true ] && ask_core_uuid; then return; fi
        explain
        case $ANSWER in
        refused | denied | broken) fail_start "$WHY" ;;
        absent) if read_now && [ "$NOW" -ge "$absent_until" ]; then fail_start "$WHY"; fi ;;
        ok) WHY='the switch is not ready (fsctl ready_check)' ;;
        esac
        if expired; then fail_start "$WHY"; fi
        sleep "$POLL"
    done
}

# A start too soon after a stop makes a profile that answers calls but is never listed, and nothing
# shows the end of the teardown but time (1.2 to 1.9 s measured).
wait_for_teardown() {
    [ -f "$RUNTIME_DIR/.stopped.$1" ] || return 0
    read -r stopped_uuid stopped_at <"$RUNTIME_DIR/.stopped.$1" || return 0
    [ "$stopped_uuid" = "$CORE_UUID" ] || return 0
    while read_now && [ "$NOW" -lt $((stopped_at + TEARDOWN_MS / 10)) ]; do
        sleep "$POLL"
    done
}

# Tell whether the switch holds the SIP port where profile $1 was last seen.
switch_holds_port() {
    [ -f "$RUNTIME_DIR/.address.$1" ] || return 1
    read -r ADDRESS <"$RUNTIME_DIR/.address.$1" || return 1
    case $(ss -Hlunp "src $ADDRESS" 2>/dev/null) in
    *"((\"$SWITCH_PROCESS\","* | *",(\"$SWITCH_PROCESS\","*) return 0 ;;
    esac
    return 1
}

# Start profile $1 and wait until it is listed: "started successfully" proves nothing.
start_profile() {
    wait_for_teardown "$1"
    write_file ".starting.$1" "$CORE_UUID" || fail_start "cannot write to $RUNTIME_DIR"
    ask "sofia profile $1 start" "$ACTION_TIMEOUT_MS" || {
        explain
        fail_start "profile $1: $WHY"
    }
    case $REPLY in
    *'Reload XML [Success]'*) ;;
    *) complain "warning: the switch's XML does not load, it goes on with the old one: $REPLY" ;;
    esac
    case $REPLY in
    *"Failure starting $1"*)
        fail_start "profile $1 does not exist in the switch's configuration (sofia.conf.xml)"
        ;;
    esac
    wait_until_listed "$1"
}

wait_until_listed() {
    read_now
    bound_by=$((NOW + BIND_WAIT * 100))
    while :; do
        if list_profiles; then
            if is_running "$1"; then
                write_file ".address.$1" "$ADDRESS"
                return
            fi
        elif [ "$ANSWER" != hung ]; then
            explain
            fail_start "profile $1: $WHY"
        fi
        read_now
        if [ "$NOW" -ge "$bound_by" ] || [ "$NOW" -ge "$DEADLINE" ]; then not_listed "$1"; fi
        sleep "$POLL"
    done
}

not_listed() {
    if switch_holds_port "$1"; then
        fail_start "profile $1 is not listed but the switch holds $ADDRESS (started while its old self was going down): restart the switch, nothing else cures it"
    fi
    if vips_not_local; then
        fail_start "profile $1 did not bind: $NOT_LOCAL is not on this node"
    fi
    fail_start "profile $1 did not bind: see the switch's log for 'Error Creating SIP UA' (is its sip-ip on this node, is the port free?)"
}

# Set NOT_LOCAL to the VIPs that this node does not hold.
vips_not_local() {
    NOT_LOCAL=''
    for vip in $VIPS; do
        [ -n "$(ip -o address show to "$vip" 2>/dev/null)" ] ||
            NOT_LOCAL="$NOT_LOCAL${NOT_LOCAL:+ }$vip"
    done
    [ -n "$NOT_LOCAL" ]
}

# Set PAUSED to what is paused: a paused switch cannot make the session of a recovered call, and
# recover deletes the row all the same.
find_paused() {
    PAUSED=''
    for direction in inbound outbound; do
        if ask "fsctl pause_check $direction" && [ "$REPLY" = true ]; then
            PAUSED="$PAUSED${PAUSED:+ and }$direction"
        fi
    done
    [ -n "$PAUSED" ]
}

# Recover takes the rows of every other switch, also of a living one: only the VIPs give the right.
recover_calls() {
    if [ "$RECOVER" != yes ]; then return; fi
    if vips_not_local; then
        complain "warning: calls not recovered: $NOT_LOCAL is not on this node"
    elif find_paused; then
        complain "warning: calls not recovered: the switch is paused ($PAUSED): fs_cli -x 'fsctl resume', then fs_cli -x 'sofia recover'"
    else
        for profile in $PROFILES; do recover_profile "$profile"; done
    fi
}

recover_profile() {
    ask "sofia profile $1 recover" "$ACTION_TIMEOUT_MS" || {
        explain
        complain "warning: profile $1: recover: $WHY"
        return
    }
    case $REPLY in
    'Recovered '*)
        count=${REPLY#Recovered }
        count=${count%% *}
        RECOVERED=$((${RECOVERED:-0} + count))
        say "profile $1: recovered $count calls"
        ;;
    'No '*' to recover.'*) say "profile $1: recovered 0 calls" ;;
    *) complain "warning: profile $1: recover: $REPLY" ;;
    esac
}

confirm_started() {
    if ! { ask_core_uuid && list_profiles; }; then
        explain
        fail_start "$WHY"
    fi
    [ "$CORE_UUID" = "$started_uuid" ] || fail_start 'the switch was restarted meanwhile'
    if find_missing; then fail_start "profile $MISSING has gone again: see the switch's log"; fi
    write_stamps || fail_start "cannot write the stamps in $RUNTIME_DIR"
}

# --- stop -------------------------------------------------------------------------------------
# Without a stamp of the switch that runs now there is nothing of ours to stop, even when profiles
# run: they are a standby's, or came back after a crash, and a BYE from them would help nobody.

# Ask until no configured profile is listed; a stop in the first 10 s of a profile is refused with
# exit code 0 and has to be repeated.
stop_profiles() {
    announced=''
    while :; do
        if ! { ask_core_uuid && list_profiles; }; then
            explain
            case $ANSWER in
            absent | unloaded) return ;;
            refused | denied | broken) fail_stop "$WHY" ;;
            esac
            if ! stamped_switch_lives; then return; fi
        else
            WHY="profile $PROFILES: still listed"
            still_listed || return
            stop_listed
        fi
        if expired; then
            case $ANSWER in
            hung | closed) kill_switch && return ;;
            esac
            fail_stop "$WHY"
        fi
        sleep "$POLL"
    done
}

# The last resort: a switch that cannot be asked holds the VIP's calls, and a stop that fails blocks
# the cluster for good where nothing can fence. A killed switch sends no BYE and keeps its recovery
# rows, so the other node takes the calls over.
kill_switch() {
    stamped_switch_lives || return 0
    complain "killing the switch (process ${SWITCH% *}): $WHY"
    kill -KILL "${SWITCH% *}" 2>/dev/null
    await_end stamped_switch_lives
}

# Wait until $1 is false; false itself after 5 s.
await_end() {
    read_now
    gone_by=$((NOW + 500))
    while "$1"; do
        read_now
        [ "$NOW" -lt "$gone_by" ] || return 1
        sleep 0.02 # callers hear every bit of it
    done
}

# Tell whether the switch of which a stop has taken leave still lives.
leaving_lives() {
    [ -f "$RUNTIME_DIR/.leaving" ] && read -r left_switch 2>/dev/null <"$RUNTIME_DIR/.leaving" &&
        find_switch && [ "$SWITCH" = "$left_switch" ]
}

# End the switch of which a stop has taken leave, if it still lives.
end_leaving() {
    if leaving_lives; then
        complain "killing the switch (process ${SWITCH% *}): its calls are left to the node that takes over"
        kill -KILL "${SWITCH% *}" 2>/dev/null
        await_end leaving_lives || return 1
    fi
    rm -f "$RUNTIME_DIR/.leaving"
}

still_listed() {
    for profile in $PROFILES; do
        if is_running "$profile"; then return 0; fi
    done
    return 1
}

stop_listed() {
    for profile in $PROFILES; do
        is_running "$profile" || continue
        write_file ".address.$profile" "$ADDRESS"
        ask "sofia profile $profile stop" "$ACTION_TIMEOUT_MS" || {
            explain
            continue
        }
        case $REPLY in
        *'stopping: '*)
            read_now
            write_file ".stopped.$profile" "$CORE_UUID $NOW"
            ;;
        *'must be up for at least'*)
            WHY="profile $profile: the switch refuses: $(printf '%s' "$REPLY" | tr '\n' ' ')"
            if [ -z "$announced" ]; then say "waiting: $WHY"; fi
            announced=yes
            ;;
        *) WHY="profile $profile: $REPLY" ;;
        esac
    done
}

# Set STARTING to the profiles that a start has brought up and not finished with.
find_starting() {
    STARTING=''
    set +f
    set -- "$RUNTIME_DIR"/.starting.*
    set -f
    for note in "$@"; do
        [ ! -f "$note" ] || STARTING="$STARTING${STARTING:+ }${note##*/.starting.}"
    done
    [ -n "$STARTING" ]
}

forget_starting() {
    find_starting || return 0
    for profile in $STARTING; do rm -f "$RUNTIME_DIR/.starting.$profile"; done
}

# Stop what a failed start has left running; it took no calls over, and nothing else would stop it.
stop_half_started() {
    find_starting || return 0
    prepare_home
    if [ -n "$HOME_ERROR" ] || ! ask_core_uuid; then
        complain "profiles that a failed start may have left running: $STARTING"
        return 0
    fi
    wanted=$PROFILES
    PROFILES=''
    for profile in $STARTING; do
        read -r starting_uuid 2>/dev/null <"$RUNTIME_DIR/.starting.$profile" || continue
        [ "$starting_uuid" != "$CORE_UUID" ] || PROFILES="$PROFILES${PROFILES:+ }$profile"
    done
    if [ -n "$PROFILES" ]; then
        complain "stopping what a failed start has left running: $PROFILES"
        stop_profiles
        wait_for_sockets
    fi
    PROFILES=$wanted
}

# A profile that is no longer listed still holds its socket for a moment.
wait_for_sockets() {
    for profile in $PROFILES; do
        while find_switch && switch_holds_port "$profile"; do
            if expired; then
                fail_stop "profile $profile is gone from the list but the switch still holds $ADDRESS: restart the switch"
            fi
            sleep "$POLL"
        done
        note_teardown "$profile"
    done
}

# The switch frees a profile's name up to 2 s after its socket. It closes the socket when the last
# session has gone, after 10 s at the latest, and then waits up to 20 s more for the rest of them.
note_teardown() {
    [ -f "$RUNTIME_DIR/.stopped.$1" ] || return 0
    read -r stopped_uuid stopped_at <"$RUNTIME_DIR/.stopped.$1" || return 0
    read_now
    if [ "$NOW" -ge $((stopped_at + LINGER * 100)) ]; then NOW=$((stopped_at + LATEST * 100)); fi
    write_file ".stopped.$1" "$stopped_uuid $NOW"
}
