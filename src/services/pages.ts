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
  const rows = await read(after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
