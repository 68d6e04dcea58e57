/** Joins control groups: each of them takes the number of the process that writes 0 into its file. */
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift';

/** Becomes the program, without a variable, behind everything else that wants the processor. */
const BECOME = 'exec env -i nice -n 10 "$@"';

/**
 * Where we are root, a program in the sandbox is the owner of the host's devices there and could change their mode, also
 * without any capability. bubblewrap shows devices as they are mounted, so they are first mounted read-only, in name
 * spaces of their own; they can be written all the same, as that is a matter of the device.
 */
const GUARD_DEVICES = `for device in null zero full random urandom tty; do
  [ ! -e /dev/$device ] || mount --bind -o ro /dev/$device /dev/$device || exit 125
done
${BECOME}`;

/**
 * Arguments for `/bin/sh` that start a program within its bounds. The process stays the same from shell to program.
 * @param join files of control groups
 * @param guardDevices whether the host's devices have to be guarded
 */
export function launchArguments(
  program: readonly string[],
  join: readonly string[],
  guardDevices: boolean,
): readonly string[] {
  const become = guardDevices
    ? ['exec unshare --user --map-root-user --mount -- /bin/sh -c "$0" sh "$@"', GUARD_DEVICES]
    : [BECOME, 'sh'];
  return ['-c', `${JOIN}; ${become[0]}`, become[1] ?? 'sh', ...join, '--', ...program];
}
