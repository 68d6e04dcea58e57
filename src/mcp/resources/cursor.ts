import { z } from 'zod';

/** Where a list goes on: in which kind of thing, behind which one of it. It is a position, and opens nothing. */
export interface Position {
  kind: number;
  after: string;
}

const Encoded = z.tuple([z.int().min(0), z.string().max(8_192)]);

export const cursorOf = ({ kind, after }: Position): string =>
  Buffer.from(JSON.stringify([kind, after])).toString('base64url');

/** Undefined: it is none of ours. */
export function positionIn(cursor: string): Position | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  try {
    const [kind, after] = Encoded.parse(JSON.parse(text));
    const position = { kind, after };
    // Written otherwise, it is not what we gave.
    return cursorOf(position) === cursor ? position : undefined;
  } catch {
    return undefined;
  }
}
