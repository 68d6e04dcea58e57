/** Kills a process, or a group of them by its negative number; one that has ended by itself is fine. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, which is what is wanted.
  }
}
