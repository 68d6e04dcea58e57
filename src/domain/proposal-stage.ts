import type { Stage } from '../contracts/proposal.js';

/** Where a proposal stands, as far as its next step depends on it. */
export interface Standing {
  stage: Stage;
  closesAt: Date | null;
  executeAt: Date | null;
}

/** What a clock does to a proposal. */
export type Due = 'close' | 'execute';

/** Which stage may follow which. */
const NEXT: Readonly<Record<Stage, readonly Stage[]>> = {
  draft: ['open', 'withdrawn'],
  open: ['passed', 'rejected', 'expired', 'withdrawn'],
  passed: ['executed', 'failed', 'vetoed'],
  rejected: [],
  expired: [],
  executed: [],
  vetoed: [],
  failed: [],
  withdrawn: [],
};

/** The least time that somebody is told to wait, so that clocks which differ a little make no loop, in milliseconds. */
const LEAST_WAIT_MS = 1_000;
const HOUR_MS = 3_600_000;

export const mayBecome = (from: Stage, to: Stage): boolean => NEXT[from].includes(to);

export const isFinalStage = (stage: Stage): boolean => NEXT[stage].length === 0;

/** The next moment at which a clock does something; null if only people can. */
export function dueAt({ stage, closesAt, executeAt }: Standing): Date | null {
  if (stage === 'open') return closesAt;
  return stage === 'passed' ? executeAt : null;
}

/** What a clock has to do by now. A proposal is closed at its closing time, not after it. */
export function whatIsDue(standing: Standing, now: Date): Due | undefined {
  const due = dueAt(standing);
  if (due === null || now < due) return undefined;
  return standing.stage === 'open' ? 'close' : 'execute';
}

/** Whether a ballot that comes now counts. At the closing time itself it does not. */
export const admitsBallots = (standing: Standing, now: Date): boolean =>
  standing.stage === 'open' && whatIsDue(standing, now) === undefined;

/** Whether what has passed can still be stopped: until the moment from which on it is executed. */
export const mayBeVetoed = (standing: Standing, now: Date): boolean =>
  standing.stage === 'passed' && whatIsDue(standing, now) === undefined;

/** How long until something is due, in milliseconds; null if nothing will be. */
export function remainingMs(standing: Standing, now: Date): number | null {
  const due = dueAt(standing);
  return due && Math.max(LEAST_WAIT_MS, due.getTime() - now.getTime());
}

/** A moment so many hours later, to the millisecond. */
export const hoursAfter = (moment: Date, hours: number): Date =>
  new Date(moment.getTime() + Math.round(hours * HOUR_MS));
