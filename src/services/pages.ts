/** Which part of a list: behind `after`, which is what `next` said before. */
export interface PageRequest {
  after: string;
  limit: number;
}

/** A part of a list; `next` is null at its end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Reads one more than is wanted, which tells whether there is a next page. */
export async function pageOf<T extends { id: string }>(
  { after, limit }: PageRequest,
  read: (after: string, limit: number) => Promise<T[]>,
): Promise<Page<T>> {
  return partOf(await read(after, limit + 1), limit, ({ id }) => id);
}

/**
 * Cuts what was read to a part.
 * @param rows in their order, up to one more than the part may hold
 * @param placeOf what `after` has to say for the entries behind one
 */
export function partOf<T>(rows: readonly T[], limit: number, placeOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? placeOf(last) : null };
}
