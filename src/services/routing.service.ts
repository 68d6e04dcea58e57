import type { CallerKey } from '../contracts/access.js';
import { API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { RouteSubmission } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import { promptInputs } from '../domain/decide.js';
import { describeTable, explain, type Explanation, type TableDescription } from '../domain/explain.js';
import { seenFrom } from '../domain/seen-from.js';
import type { AccessFacts } from '../contracts/access.js';
import { onlooker, type AccessService, type Acting, type Onlooker } from './access.service.js';
import { choiceOf, type CrewStarts } from './crew-starts.js';

export type { Explanation, TableDescription };

/** Shows operators the routing that runs, and says what it makes of a request. Nothing is sent or recorded. */
export class RoutingService {
  /** @param table the table that runs at the moment */
  constructor(
    private readonly table: () => RoutingTable,
    private readonly access: AccessService,
    private readonly crews: Pick<CrewStarts, 'find'>,
  ) {}

  /**
   * Rules, answers and names of providers, as an operator of the DAO may see them.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `ops.read`, and those of `AccessService`
   */
  async describe(key: CallerKey, daoId: string | undefined): Promise<TableDescription> {
    return describeTable(this.seenBy(await this.access.requireAnywhere(key, { daoId }, 'ops.read')));
  }

  /**
   * Which rule a request would take, and why not each other.
   * @param about the request; its user is whom it is about, by default the caller
   * @throws AppError `RBAC_PERMISSION_DENIED` without `ops.read`; `ACTING_NOT_ALLOWED` about somebody else for whoever
   *   is no admin of the DAO; and those of `AccessService`
   */
  async explain(key: CallerKey, about: RouteSubmission): Promise<Explanation> {
    const { mode, agent, source, metadata, prompt, daoId, userId, crew: asked } = about;
    const acting = await this.access.require(key, { daoId }, 'ops.read');
    const access = await this.factsAbout(acting, userId ?? acting.actor);
    const crew = asked && (await this.crews.find(acting, asked));
    const inputs = {
      mode,
      agent,
      source,
      metadata,
      ...promptInputs(prompt),
      access,
      ...(crew && { crew: choiceOf(crew) }),
    };
    return explain(this.seenBy(onlooker(acting)), inputs);
  }

  /** Somebody's roles are the business of themselves and of the DAO's admins. */
  private async factsAbout(acting: Acting, userId: string): Promise<AccessFacts> {
    if (userId === acting.actor) return acting.facts;
    if (!acting.rights.roles.includes('admin')) {
      await this.access.refuseActing(acting, 'Only an admin of the DAO may ask about somebody else.');
    }
    if (userId.startsWith(API_PRINCIPAL_PREFIX)) {
      await this.access.refuseActing(acting, 'What the principal of a key may do is told to that key alone.');
    }
    return this.access.factsOf(acting.daoId, userId);
  }

  /** Whoever rules over the platform sees all DAOs, everybody else their own. */
  private seenBy({ sees }: Onlooker): RoutingTable {
    return sees === null ? this.table() : seenFrom(this.table(), sees);
  }
}
