import { guardVerdict, WhatIf } from '../domain/whatif.js';
import type { Guarded } from './config-guard.js';
import { compareRecorded, type Objection } from './recorded-comparison.js';
import type { RecordedDecisions } from './recorded-decisions.js';

/** What a role would give instead. */
export interface RoleEdit {
  daoId: string;
  role: string;
  from: readonly string[];
  to: readonly string[];
}

/** Decides recorded requests of a DAO under a changed role before anybody has it. */
export class RoleGuard {
  /** @param running what the running configuration says: its rules, and how careful the guard is */
  constructor(
    private readonly recorded: RecordedDecisions,
    private readonly running: () => Guarded,
  ) {}

  /**
   * Only requests of that DAO are looked at: what others do neither hides a change nor shows in the report.
   * @returns undefined if nothing speaks against the change, or the guard is off
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async objection({ daoId, role, from, to }: RoleEdit): Promise<Objection | undefined> {
    const { guard, routing } = this.running();
    if (!guard.enabled) return undefined;
    const whatIf = new WhatIf({
      table: routing,
      against: routing,
      rolesNow: { daoId, roles: { [role]: from } },
      roleChange: { daoId, roles: { [role]: to } },
    });
    const report = await compareRecorded(this.recorded.dealt(guard.requests, { daoId }), whatIf);
    const { reasons } = guardVerdict(report, guard);
    return reasons.length > 0 ? { reasons, report } : undefined;
  }
}
