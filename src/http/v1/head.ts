import type { Accepted } from '../../services/accepted.js';
import type { Head } from './chat-answer.js';

/** The first 48 bits of a request's id say when it came, in milliseconds. */
const secondsIn = (id: string): number => Math.floor(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) / 1_000);

/** What all pieces of an answer say of it: the same however often it is asked for. */
export const headOf = (prefix: string, { requestId }: Accepted, model: string): Head => ({
  id: `${prefix}-${requestId}`,
  created: secondsIn(requestId),
  model,
});
