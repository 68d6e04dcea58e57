import type { MembersRepository } from '../adapters/store/members.repository.js';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import type { Member, Role } from '../contracts/dao.js';
import { AppError } from '../errors/app-error.js';
import type { MicrodaoQueryBody } from '../schemas/microdao.js';
import type { AccessService, Acting } from './access.service.js';
import { pageOf, type Page, type PageRequest } from './pages.js';
import type { RolesService } from './roles.service.js';

/** Which proposals to list. */
export interface ProposalFilter extends PageRequest {
  stage?: string | undefined;
}

/** Where proposals come from. */
export interface ProposalPages {
  page(daoId: string, filter: ProposalFilter): Promise<Page<object>>;
}

export interface MicrodaoDeps {
  access: AccessService;
  roles: RolesService;
  members: MembersRepository;
  /** Undefined: nothing serves them here. */
  proposals?: ProposalPages | undefined;
}

/** A member as other members may see one; with the ids of platforms for those who administer. */
export type ShownMember = Pick<Member, 'id' | 'name' | 'roles'> & Partial<Pick<Member, 'user_ids'>>;

/** What a query found, under the name of what was asked for. */
export type MicrodaoAnswer = { dao_id: string; next: string | null } & (
  | { query_type: 'roles'; roles: Role[] }
  | { query_type: 'members'; members: ShownMember[] }
  | { query_type: 'proposals'; proposals: object[] }
);

/** Guests see roles and proposals, but not who belongs to the DAO. */
const NEEDED: Readonly<Record<MicrodaoQueryBody['query_type'], Entitlement>> = {
  roles: 'chat.read',
  members: 'chat.write',
  proposals: 'chat.read',
};

/** What there is in a DAO, for everybody who asks, however they came. */
export class MicrodaoService {
  constructor(private readonly deps: MicrodaoDeps) {}

  /**
   * Lists roles, members or proposals of a DAO, part by part.
   * @throws AppError `RBAC_PERMISSION_DENIED`, `QUERY_UNAVAILABLE`, and those of access
   */
  async query(key: CallerKey, query: MicrodaoQueryBody): Promise<MicrodaoAnswer> {
    const { dao_id: daoId, user_id: userId, query_type: type, after, limit } = query;
    const acting = await this.deps.access.require(key, { daoId, userId }, NEEDED[type]);
    const head = { dao_id: acting.daoId };
    switch (query.query_type) {
      case 'roles': {
        const { items: roles, next } = await this.deps.roles.page(acting, { after, limit });
        return { ...head, query_type: 'roles', roles, next };
      }
      case 'members': {
        const { items: members, next } = await this.members(acting, { after, limit, role: query.role });
        return { ...head, query_type: 'members', members, next };
      }
      case 'proposals': {
        const { items: proposals, next } = await this.proposals(acting, { after, limit, stage: query.stage });
        return { ...head, query_type: 'proposals', proposals, next };
      }
    }
  }

  private async members(
    { daoId, rights }: Acting,
    { role, ...page }: PageRequest & { role: string | undefined },
  ): Promise<Page<ShownMember>> {
    const { items, next } = await pageOf(page, (after, limit) => this.deps.members.page(daoId, { after, limit, role }));
    const administers = rights.entitlements.some((one) => one === 'member.invite' || one === 'ops.read');
    const shown = items.map(({ id, name, roles, user_ids }) => ({ id, name, roles, ...(administers && { user_ids }) }));
    return { items: shown, next };
  }

  private async proposals({ daoId }: Acting, filter: ProposalFilter): Promise<Page<object>> {
    if (!this.deps.proposals) throw new AppError('QUERY_UNAVAILABLE');
    return this.deps.proposals.page(daoId, filter);
  }
}
