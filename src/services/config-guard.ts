import type { RoutingTable } from '../contracts/routing.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { guardVerdict, WhatIf } from '../domain/whatif.js';
import { compareRecorded, type Objection } from './recorded-comparison.js';
import type { RecordedDecisions } from './recorded-decisions.js';

export type { Objection } from './recorded-comparison.js';

/** What a profile says about the guard in front of it. */
export interface GuardSettings {
  enabled: boolean;
  /** How many recorded requests are decided again. */
  requests: number;
  /** Share of them that may take another way, from 0 to 1. */
  maxChangedShare: number;
}

/** What of a configuration the guard looks at. */
export interface Guarded {
  routing: RoutingTable;
  guard: GuardSettings;
}

/** Decides recorded requests under two tables before the second one takes the place of the first. */
export class ConfigGuard {
  constructor(private readonly recorded: RecordedDecisions) {}

  /**
   * Judges by the settings of what runs: a profile cannot wave itself through.
   * @returns undefined if nothing speaks against it
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async objection(running: Guarded, candidate: Guarded): Promise<Objection | undefined> {
    const { guard, routing } = running;
    if (!guard.enabled) return undefined;
    const weaker = weakened(guard, candidate.guard);
    if (routing.hash === candidate.routing.hash && weaker.length === 0) return undefined;
    const report = await this.compare(running, candidate);
    const reasons = [...guardVerdict(report, guard).reasons, ...weaker];
    return reasons.length > 0 ? { reasons, report } : undefined;
  }

  /** What the candidate would change of what the running one decides about the same inputs today. */
  private compare({ routing: against, guard }: Guarded, { routing: table }: Guarded): Promise<WhatIfReport> {
    return compareRecorded(this.recorded.dealt(guard.requests), new WhatIf({ table, against }));
  }
}

/** In what a profile would make the guard see less than it does. */
function weakened(from: GuardSettings, to: GuardSettings): string[] {
  if (!to.enabled) return ['the guard would be switched off'];
  return [
    ...(to.requests < from.requests
      ? [`the guard would look at ${to.requests} requests instead of ${from.requests}`]
      : []),
    ...(to.maxChangedShare > from.maxChangedShare
      ? [`the guard would let a share of ${to.maxChangedShare} change instead of ${from.maxChangedShare}`]
      : []),
  ];
}
