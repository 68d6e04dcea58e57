import { createHash } from 'node:crypto';

/**
 * How the model of the bench of `/v1` behaves: plain figures.
 * @typedef {object} Model
 * @property {[number, number]} firstMs between which the time to the first token is drawn, in milliseconds
 * @property {number} tokens length of an answer
 * @property {number} tokenMs from one token to the next, in milliseconds
 * @property {number} seed draws the times
 */

/** What a request is called, in the text of its prompt. */
export const promptOf = (marker) => `Bench #${marker} What did we decide about the common budget, and who voted?`;

export const markerOf = (prompt) => /#([\w-]+)/.exec(prompt)?.[1] ?? '';

/**
 * When the model says what of the request with this marker, in milliseconds from its arrival. It depends on the seed and
 * the marker alone, so that every party gets the same times for the same request and they can be compared in pairs.
 */
export function planOf({ firstMs: [least, most], tokens, tokenMs, seed }, marker) {
  const share = createHash('sha256').update(`${seed} ${marker}`).digest().readUInt32LE(0) / 2 ** 32;
  const first = least + share * (most - least);
  return { first, last: first + (tokens - 1) * tokenMs };
}

/** The answer, a token a piece. */
export const answerOf = ({ tokens }, marker) =>
  Array.from({ length: tokens }, (_, index) => (index === 0 ? `#${marker}` : ` w${index}`));
