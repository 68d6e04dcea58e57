/** Who delegated to whom, by ids of members. Whoever is not there, or has null, delegated to nobody. */
export type Delegates = ReadonlyMap<string, string | null>;

/**
 * Whether a delegation would lead back to where it begins, whatever there was before from that member.
 * @param delegates at least the links that can be reached from `to`
 */
export function closesCycle(delegates: Delegates, from: string, to: string): boolean {
  const seen = new Set<string>();
  for (let at: string | null = to; at !== null && !seen.has(at); at = delegates.get(at) ?? null) {
    if (at === from) return true;
    seen.add(at);
  }
  return false;
}

/**
 * Whose ballot counts for each member: the own one, else that of the nearest one down the chain who has one. In time
 * proportional to the number of members; a circle, which should not be there, counts for nobody.
 * @param hasBallot of a member's id
 * @returns by member, whose ballot; members for whom none counts are not in it
 */
export function representatives(delegates: Delegates, hasBallot: (member: string) => boolean): Map<string, string> {
  const known = new Map<string, string | undefined>();
  for (const member of delegates.keys()) follow(delegates, hasBallot, member, known);
  return new Map([...known].filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Walks down from a member until the answer is known, and notes it for everybody on the way. */
function follow(
  delegates: Delegates,
  hasBallot: (member: string) => boolean,
  start: string,
  known: Map<string, string | undefined>,
): void {
  const way = new Set<string>();
  let at: string | null = start;
  while (at !== null && !known.has(at) && !way.has(at)) {
    if (hasBallot(at)) known.set(at, at);
    else {
      way.add(at);
      at = delegates.get(at) ?? null;
    }
  }
  const found = at === null ? undefined : known.get(at);
  for (const member of way) known.set(member, found);
}
