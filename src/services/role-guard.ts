import { GUEST_ROLE } from '../contracts/access.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { roleDifference } from '../domain/role-rules.js';
import { guardVerdict, WhatIf } from '../domain/whatif.js';
import type { Guarded, GuardSettings } from './config-guard.js';
import { compareRecorded, type Objection } from './recorded-comparison.js';
import type { RecordedDecisions } from './recorded-decisions.js';

/** What a role would give instead. */
export interface RoleEdit {
  daoId: string;
  role: string;
  from: readonly string[];
  to: readonly string[];
}

/** A share of fewer recorded requests than this says nothing: one of four is a quarter of them. */
const FEWEST_FOR_SHARE = 20;

/** Looks at a changed role before anybody has it. */
export class RoleGuard {
  /** @param running what the running configuration says: its rules, and how careful the guard is */
  constructor(
    private readonly recorded: RecordedDecisions,
    private readonly running: () => Guarded,
  ) {}

  /**
   * Decides recorded requests under the change, unless the guard is off. Only requests of that DAO are looked at: what
   * others do neither hides a change nor shows in the report. What everybody would get who is no member is always
   * objected to: most of it no request is decided by.
   * @returns undefined if nothing speaks against the change
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async objection(edit: RoleEdit): Promise<Objection | undefined> {
    const { guard } = this.running();
    const forAll = givenToAll(edit, guard.enabled);
    if (!guard.enabled && forAll.length === 0) return undefined;
    const report = await this.compare(edit, guard.enabled ? guard.requests : 0);
    const reasons = [...forAll, ...guardVerdict(report, forRole(guard, report)).reasons];
    return reasons.length > 0 ? { reasons, report } : undefined;
  }

  private compare({ daoId, role, from, to }: RoleEdit, requests: number): Promise<WhatIfReport> {
    const { routing } = this.running();
    const whatIf = new WhatIf({
      table: routing,
      against: routing,
      rolesNow: { daoId, roles: { [role]: from } },
      roleChange: { daoId, roles: { [role]: to } },
    });
    // Nothing is read where nothing is to be compared.
    if (requests === 0) return Promise.resolve(whatIf.report(0));
    return compareRecorded(this.recorded.dealt(requests, { daoId }), whatIf);
  }
}

function givenToAll({ role, from, to }: RoleEdit, guarded: boolean): string[] {
  const { added } = role === GUEST_ROLE ? roleDifference(from, to) : { added: [] };
  const off = guarded ? '' : ' (the guard is off: no request was asked)';
  return added.length > 0 ? [`everybody who is no member would get ${added.join(', ')}${off}`] : [];
}

const forRole = ({ maxChangedShare }: GuardSettings, { requests }: WhatIfReport): { maxChangedShare: number } => ({
  maxChangedShare: requests < FEWEST_FOR_SHARE ? 1 : maxChangedShare,
});
