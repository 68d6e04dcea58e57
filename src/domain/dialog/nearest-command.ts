import { distance } from 'fastest-levenshtein';

/** The command that somebody most likely meant; undefined: none is near. */
export function nearestCommand(name: string, commands: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  const near = commands
    .map((command) => ({ command, far: command.startsWith(name) && name.length >= 3 ? 1 : distance(name, command) }))
    .filter(({ far }) => far <= most)
    .toSorted((a, b) => a.far - b.far);
  return near[0]?.command;
}
