import { distance } from 'fastest-levenshtein';

const sorted = (word: string): string => word.split('').toSorted().join('');

/** How far a word is from a command, in slips of the fingers; letters that changed places are one. */
function slips(word: string, command: string): number {
  const far = distance(word, command);
  const isBegun = word.length >= 3 && command.startsWith(word);
  return isBegun || (far === 2 && sorted(word) === sorted(command)) ? Math.min(far, 1) : far;
}

/** The command that somebody most likely meant; undefined: none is near. */
export function nearestCommand(name: string, commands: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  const near = commands.filter((command) => slips(name, command) <= most);
  return near.toSorted((a, b) => distance(name, a) - distance(name, b))[0];
}
