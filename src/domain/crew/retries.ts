import type { StepView } from '../../contracts/crew-run.js';

/** What passes by itself: a turn that met it is taken again after a pause. */
const PASSING = [
  'QUEUE_FULL',
  'QUEUE_SHARE_FULL',
  'PROVIDERS_COOLING',
  'PROVIDER_FAILED',
  'PROVIDER_TIMEOUT',
  'STREAM_INTERRUPTED',
  'STORE_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
];
const MOST_TRIES = 4;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** When a turn that failed is taken again; undefined: not any more. @param tries how often it was taken again before */
export function retryAt({ failure, endedAt }: StepView, tries: number): Date | undefined {
  if (!failure || !PASSING.includes(failure.code) || tries >= MOST_TRIES) return undefined;
  const pauseMs = Math.min(Math.max(failure.retryAfterMs ?? 0, FIRST_PAUSE_MS * 2 ** tries), LONGEST_PAUSE_MS);
  return new Date((endedAt ?? new Date(0)).getTime() + pauseMs);
}
