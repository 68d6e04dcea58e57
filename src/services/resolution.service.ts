import type { CallerKey } from '../contracts/access.js';
import { API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import { resolveRights, type Rights } from '../domain/access.js';
import type { AccessService, Acting } from './access.service.js';

/** Who is asked about, and in which DAO. */
export interface ResolutionQuestion {
  daoId?: string | undefined;
  /** Absent: the key's own principal. */
  userId?: string | undefined;
}

/** What somebody is and may do in a DAO. */
export interface Resolution extends Rights {
  dao_id: string;
  user_id: string;
  /** Id of the member; null: no member. */
  member: string | null;
}

/** Tells roles and entitlements. */
export class ResolutionService {
  constructor(private readonly access: AccessService) {}

  /**
   * Of its own principal a key is told what it lets through. Of others: to whoever may invite or see operations in the
   * DAO, and to gateway keys, which may name anybody anyway; what a person has then, whatever the key.
   * @throws AppError `ACTING_NOT_ALLOWED` for another key's principal, `RBAC_PERMISSION_DENIED` and those of access
   */
  async resolve(key: CallerKey, { daoId, userId = key.principal }: ResolutionQuestion): Promise<Resolution> {
    const asking = await this.access.resolve(key, { daoId });
    if (userId === key.principal) return told(asking.daoId, userId, asking.facts.member, asking.rights);
    if (userId.startsWith(API_PRINCIPAL_PREFIX)) {
      await this.access.refuseActing(asking, 'What a key is by itself is told to that key alone.');
    }
    if (!mayAsk(key, asking)) await this.access.require(key, { daoId }, 'member.invite');
    const facts = await this.access.factsOf(asking.daoId, userId);
    return told(asking.daoId, userId, facts.member, resolveRights(facts));
  }
}

/** A gateway key whose owner is gone, or that is narrowed to something else, asks about nobody. */
function mayAsk({ gateway }: CallerKey, { facts, rights }: Acting): boolean {
  if (gateway && (facts.within?.includes('chat.read') ?? true)) return true;
  return rights.entitlements.includes('member.invite') || rights.entitlements.includes('ops.read');
}

const told = (daoId: string, userId: string, member: string | undefined, rights: Rights): Resolution => ({
  dao_id: daoId,
  user_id: userId,
  member: member ?? null,
  ...rights,
});
