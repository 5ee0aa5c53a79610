#!/bin/sh
# Runs one node and cleans up after it, also when the JVM that asked for it was killed.
#
#   sh supervisor.sh [detach] WORK_DIR COMMAND [ARGUMENT...]
#
# Reads its orders from standard input, the other end of which the JVM holds:
#   start         runs COMMAND in the background, once
#   restart       kills COMMAND and all its descendants, and runs it again
#   stop, or EOF  kills COMMAND and all its descendants, removes WORK_DIR, exits
# With "detach" it first leaves the terminal's session, so that ^C does not reach it.
#
# COMMAND runs below a shell that leads a process group and stays until it is killed. So the id of
# the group is never free for others to take, and killing the group hits what was started here,
# paused or orphaned processes included, and nothing else.
#
# COPY_DIST and COPY_JDK, if set, are folders copied to WORK_DIR/dist and WORK_DIR/jdk first.

if [ "$1" = detach ]; then
  shift
  if command -v setsid >/dev/null 2>&1; then exec setsid sh "$0" "$@"; fi
  exec bash "$0" "$@" # has the job control that stands in for setsid below
fi

work=$1
shift
group=
cd / || exit 1

leader='
copy() {
  [ -e "$2" ] || { cp -RP "$1" "$2" && chmod -R a+rX "$2"; } # kept through a restart
}
run() {
  if [ -n "$COPY_DIST" ]; then copy "$COPY_DIST" "$work/dist" || return; fi
  if [ -n "$COPY_JDK" ]; then copy "$COPY_JDK" "$work/jdk" || return; fi
  "$@"
}
work=$0
run "$@"
echo $? >"$work/exit-code.new" && mv "$work/exit-code.new" "$work/exit-code"
while :; do sleep 3600; done
'

start() {
  if command -v setsid >/dev/null 2>&1; then
    setsid sh -c "$leader" "$work" "$@" </dev/null &
  else
    set -m # gives each background job a process group of its own
    sh -c "$leader" "$work" "$@" </dev/null &
  fi
  group=$!
}

# Does a process of the group live? One that is dead and only waits to be reaped does not count:
# in a container the first process may never reap it.
alive() {
  kill -s KILL -- "-$group" 2>/dev/null || return 1
  [ -r /proc/self/stat ] || return 0
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- ${line##*) } # state, parent, group, ...
    if [ "$3" = "$group" ] && [ "$1" != Z ] && [ "$1" != X ]; then return 0; fi
  done
  return 1
}

# A Java that is killed leaves the socket behind at which it can be attached to: in /tmp on Linux,
# beside WORK_DIR elsewhere, whatever its temporary folder is. The node logs its process id.
remove_sockets() {
  for pid in $(sed -n 's/.*, pid\[\([0-9]*\)],.*/\1/p' "$work"/logs/*.log 2>/dev/null); do
    line=
    { read -r line <"/proc/$pid/stat"; } 2>/dev/null
    case ${line##*) } in
      '' | Z* | X*) rm -f -- "/tmp/.java_pid$pid" "${work%/*}/.java_pid$pid" ;;
      *) ;; # the id is another's by now
    esac
  done
}

nap() {
  sleep 0.1 2>/dev/null || sleep 1
}

end() {
  [ -n "$group" ] || return 0
  kill -s KILL "$group" 2>/dev/null # first, as it may not yet have made its group
  wait "$group" 2>/dev/null
  tries=0
  while alive; do # each look kills again
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then exit 1; fi
    nap
  done
  remove_sockets
}

trap : HUP INT QUIT TERM # at most ends the loop below
while read -r order; do
  case $order in
    start) [ -n "$group" ] || start "$@" ;;
    restart)
      end
      start "$@"
      ;;
    stop) break ;;
  esac
done
end

tries=0
while [ -e "$work" ] && [ "$tries" -le 50 ]; do
  if [ "$tries" -gt 0 ]; then nap; fi
  rm -rf -- "$work"
  tries=$((tries + 1))
done
[ ! -e "$work" ]
