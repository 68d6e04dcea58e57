import type { Failure } from '../contracts/failures.js';

/** A call that was ended by a limit of ours. */
export interface CutCall {
  failure: Failure;
  /** How long it had, in milliseconds. */
  hadMs: number;
  /** The limit of the provider itself, whatever rule leads there, in milliseconds. */
  ownLimitMs: number;
  /** Whether any text had come. */
  textSeen: boolean;
}

/** A provider that says nothing at all for this long is taken for hung, whoever cut the call, in milliseconds. */
export const SILENCE_MS = 3_000;

/**
 * What is held against a provider whose call a limit of ours ended: that it was slower than it says it is, or that it
 * said nothing for long. A rule or a deadline may give less time than a provider needs; alone that speaks against
 * nobody. Nor does a long answer: whoever had begun to speak is well, and a prompt decides how much there is to say.
 * @returns undefined if nothing is
 */
export function slowness({ failure, hadMs, ownLimitMs, textSeen }: CutCall): Failure | undefined {
  const { type } = failure;
  if (type !== 'ProviderTimeout' && type !== 'DeadlineExceeded') return undefined;
  if (textSeen) return undefined;
  if (type === 'ProviderTimeout' && hadMs >= ownLimitMs) return failure;
  if (hadMs < SILENCE_MS) return undefined;
  return { type: 'ProviderTimeout', message: `not a word within ${Math.round(hadMs)} ms` };
}
