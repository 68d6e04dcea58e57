import type { ToolRequest, ToolResult } from '../contracts/devtools.js';
import type { DaosRepository } from '../adapters/store/daos.repository.js';
import type { ProposalsRepository } from '../adapters/store/proposals.repository.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import { AppError } from '../errors/app-error.js';

/** Most roles and proposals that an agent is shown. */
const MOST_ROLES = 50;
const MOST_PROPOSALS = 30;

export interface DaoToolsParts {
  daos: DaosRepository;
  roles: RolesRepository;
  proposals: ProposalsRepository;
}

/** Tools that look at the DAO itself, as its members may. They change nothing. */
export class DaoTools {
  constructor(private readonly parts: DaoToolsParts) {}

  /** @throws AppError `TOOL_FAILED`, `PROPOSAL_NOT_FOUND`, `STORE_UNAVAILABLE` */
  async run(daoId: string, request: ToolRequest): Promise<ToolResult> {
    const { tool, params } = request as unknown as { tool: string; params: { n?: number } };
    return (await this.look(daoId, tool, params)) as ToolResult;
  }

  private async look(daoId: string, tool: string, { n }: { n?: number }): Promise<unknown> {
    switch (tool) {
      case 'dao_facts':
        return this.facts(daoId);
      case 'dao_roles': {
        const roles = await this.parts.roles.page(daoId, { after: '', limit: MOST_ROLES });
        return { roles: roles.map(({ name, entitlements }) => ({ name, entitlements })) };
      }
      case 'dao_proposals':
        return n === undefined ? this.proposals(daoId) : this.proposal(daoId, n);
      default:
        throw new AppError('TOOL_FAILED', `There is no tool ${tool}.`);
    }
  }

  private async facts(daoId: string): Promise<unknown> {
    const dao = await this.parts.daos.find(daoId);
    if (!dao) throw new AppError('DAO_NOT_FOUND');
    return { name: dao.name, facts: dao.facts };
  }

  private async proposals(daoId: string): Promise<unknown> {
    const page = await this.parts.proposals.page(daoId, { limit: MOST_PROPOSALS });
    return { proposals: page.map(({ n, title, stage }) => ({ n, title, stage })) };
  }

  private async proposal(daoId: string, n: number): Promise<unknown> {
    const proposal = await this.parts.proposals.find(daoId, n);
    if (!proposal) throw new AppError('PROPOSAL_NOT_FOUND');
    const { title, text, actions, stage } = proposal;
    return { proposal: { n, title, text, actions, stage } };
  }
}
