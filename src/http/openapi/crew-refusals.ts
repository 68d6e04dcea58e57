import type { ErrorCode } from '../../errors/catalogue.js';

/** What a request of mode crew can be refused with, and how its run can fail, beyond what any request can. */
export const CREW_REFUSALS = [
  'CREW_NOT_FOUND',
  'CREW_INPUTS_INVALID',
  'CREW_RUNNING',
  'CREW_RUNS_OPEN',
  'CREW_FAILED',
  'CREW_REJECTED',
  'CREW_STOPPED',
] as const satisfies ErrorCode[];
