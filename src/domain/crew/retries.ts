import type { StepView } from '../../contracts/crew-run.js';

const MOST_TRIES = 4;
/** Where no model was asked, which costs nothing: for as long as a cooldown and the probe behind it may take together. */
const MOST_UNASKED_TRIES = 8;
/** What passes by itself, and how often a turn that met it is taken again after a pause. */
const PASSING: Readonly<Record<string, number>> = {
  QUEUE_FULL: MOST_UNASKED_TRIES,
  QUEUE_SHARE_FULL: MOST_UNASKED_TRIES,
  PROVIDERS_COOLING: MOST_UNASKED_TRIES,
  PROVIDER_FAILED: MOST_TRIES,
  PROVIDER_TIMEOUT: MOST_TRIES,
  STREAM_INTERRUPTED: MOST_TRIES,
  STORE_UNAVAILABLE: MOST_TRIES,
  DEADLINE_EXCEEDED: MOST_TRIES,
};
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** When a turn that failed is taken again; undefined: not any more. @param tries how often it was taken again before */
export function retryAt({ failure, endedAt }: StepView, tries: number): Date | undefined {
  if (!failure || tries >= (PASSING[failure.code] ?? 0)) return undefined;
  const pauseMs = Math.min(Math.max(failure.retryAfterMs ?? 0, FIRST_PAUSE_MS * 2 ** tries), LONGEST_PAUSE_MS);
  return new Date((endedAt ?? new Date(0)).getTime() + pauseMs);
}
