import { distance } from 'fastest-levenshtein';

/** Whether two words differ in nothing but two neighbouring letters that changed places: one slip of the fingers. */
function isSwapped(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  const at = Array.from(one).findIndex((letter, index) => letter !== other[index]);
  const swapped = one.slice(0, at) + one.slice(at + 1, at + 2) + one.slice(at, at + 1) + one.slice(at + 2);
  return at !== -1 && swapped === other;
}

const slips = (one: string, other: string): number => (isSwapped(one, other) ? 1 : distance(one, other));

/** As many letters may be wrong in a name. */
const tolerance = (name: string): number => Math.max(1, Math.floor(name.length * 0.4));

/**
 * The candidate that somebody most likely meant; undefined if none is near.
 * @param most letters that may be wrong
 */
export function nearest(name: string, candidates: readonly string[], most = tolerance(name)): string | undefined {
  const wanted = name.toLowerCase();
  let best: { candidate: string; far: number } | undefined;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const prefix = wanted.length >= 3 && (other.startsWith(wanted) || wanted.startsWith(other)) && other.length >= 3;
    const far = Math.min(slips(wanted.slice(0, 100), other), prefix ? most : Infinity);
    if (far <= most && (!best || far < best.far)) best = { candidate, far };
  }
  return best?.candidate;
}

/** A hint to add to a complaint: `; did you mean …?`, or nothing. */
export function hint(name: string, candidates: readonly string[]): string {
  const meant = nearest(name, candidates);
  return meant === undefined ? '' : `; did you mean \`${meant}\`?`;
}

/** What begins as keys do, or has a long run of letters and digits: one may have been pasted where it does not belong. */
const KEY_LIKE = /^(sk|pk|ghp|gho|xox[a-z]|dagi)[-_]|(?=[A-Za-z]*\d|\d+[A-Za-z])[A-Za-z0-9]{20,}/;
const WORD = /^[\p{L}\d_.:/ -]{1,64}$/u;

/** A word of a profile as it may be repeated in a complaint. */
export const quoted = (word: string): string => (WORD.test(word) && !KEY_LIKE.test(word) ? `"${word}"` : 'this text');
