import { strangerId } from '../contracts/audit.js';
import type { CallerKey } from '../contracts/access.js';
import { API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { Member } from '../contracts/dao.js';
import { eraseCrews } from '../adapters/store/forgetting-crews.js';
import { eraseDialogs } from '../adapters/store/forgetting-dialogs.js';
import {
  eraseFromProposals,
  eraseKeptAnswers,
  eraseKeysOf,
  eraseWords,
  openRequestsOf,
  saltOf,
} from '../adapters/store/forgetting.repository.js';
import type { Forgotten } from '../adapters/store/forgotten.js';
import { removeInvitationsOf } from '../adapters/store/invitations.repository.js';
import { removeMember } from '../adapters/store/members.repository.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Named } from './access.service.js';
import { memberNamed, requireHolding, requireWholeKey, type Change, type ChangesService } from './changes.service.js';
import { sha256 } from '../adapters/digest.js';

/** What is left of somebody: the name that stands in statistics and on the record, and how many requests bear it. */
export interface Remains {
  id: string;
  requests: number;
}

/** Erases what a DAO knows of somebody, all of it or nothing. Docs/people.md says what is kept, and why. */
export class ForgettingService {
  constructor(
    private readonly access: AccessService,
    private readonly changes: ChangesService,
  ) {}

  /**
   * Forgets whoever acts, member or guest.
   * @throws AppError `QUERY_INVALID` where a key acts for nobody, `REQUESTS_RUNNING`, `LAST_ADMIN`,
   *   `RBAC_PERMISSION_DENIED` for a narrowed key, `ACTING_NOT_ALLOWED` for somebody else's, those of access
   */
  async forgetMe(key: CallerKey, daoId: string, named: Pick<Named, 'userId'>): Promise<Remains> {
    const acting = await this.access.resolve(key, { daoId, ...named });
    // A key is nobody who could be forgotten, and would only revoke itself.
    if (acting.actor.startsWith(API_PRINCIPAL_PREFIX)) {
      throw new AppError('QUERY_INVALID', 'Name whom to forget in user_id: this key acts for nobody by itself.');
    }
    return this.changes.within(acting, async (now) => {
      requireWholeKey(now);
      return this.forget(now, now.self ?? acting.actor);
    });
  }

  /**
   * Forgets a member.
   * @throws AppError `MEMBER_NOT_FOUND`, `REQUESTS_RUNNING`, `LAST_ADMIN` and those of access
   */
  async forgetMember(key: CallerKey, daoId: string, ref: string): Promise<Remains> {
    return this.changes.make(key, daoId, 'member.remove', async (now) => {
      const member = await memberNamed(now, ref);
      requireHolding(now, member.roles);
      return this.forget(now, member);
    });
  }

  private async forget(now: Change, who: Member | string): Promise<Remains> {
    const { db, daoId } = now;
    const guest = typeof who === 'string';
    const userIds = guest ? [who] : who.user_ids;
    const pseudonym = guest ? strangerId(sha256, await saltOf(db, daoId), who) : who.id;
    const forgotten = { daoId, userIds, pseudonym };
    await requireNothingRuns(now, forgotten);
    // While the record can still tell by which id it knows them.
    await now.record({ actor: now.by.actor, action: 'member.forget', subject: pseudonym });
    await eraseCrews(db, forgotten);
    await eraseDialogs(db, forgotten);
    const requests = await eraseWords(db, forgotten);
    await eraseFromProposals(db, forgotten);
    // Nobody empties it by asking to be forgotten again and again, or as somebody who never asked anything.
    if (requests > 0) await eraseKeptAnswers(db, daoId);
    await eraseKeysOf(db, forgotten);
    await removeInvitationsOf(db, daoId, userIds, guest ? undefined : who.id);
    if (!guest) await this.changes.keepingAdmin(now, () => removeMember(db, daoId, who.id));
    return { id: pseudonym, requests };
  }
}

/** What still runs would write down again what was just erased. */
async function requireNothingRuns({ db }: Change, forgotten: Forgotten): Promise<void> {
  const requests = await openRequestsOf(db, forgotten);
  if (requests.length === 0) return;
  const message = `Requests of this person still run. Cancel them with DELETE /requests/:id, or wait for their end: ${requests.join(', ')}.`;
  throw new AppError('REQUESTS_RUNNING', message, { requests });
}
