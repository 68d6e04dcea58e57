/** A part of a list, and behind which id the next part begins; null: there is none. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/**
 * Cuts what was read to a part.
 * @param rows in their order, up to one more than the part may hold
 */
export function pageOf<T>(rows: readonly T[], limit: number, idOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? idOf(last) : null };
}
