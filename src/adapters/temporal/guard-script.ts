/**
 * A shell that starts a program and ends it when our end of a pipe (its standard input) closes, which the kernel does
 * for us however we end. Portable where `prctl(PR_SET_PDEATHSIG)` is not. Arguments: `sh -c GUARD_SCRIPT name program
 * args…`. The watcher is a process of its own, so the program ends even if the shell itself is killed.
 */
export const GUARD_SCRIPT = `
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
(
  read -r _ <&3
  kill -TERM "$program" 2>/dev/null
  tries=0
  while kill -0 "$program" 2>/dev/null && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$program" 2>/dev/null
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$program"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;
