import { jsonrepair } from 'jsonrepair';
import type { CallerKey } from '../contracts/access.js';
import type { AgentTool, CrewDefinition, JsonSchema } from '../contracts/crew.js';
import type { Decision } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { RunHead } from '../adapters/store/crew-runs.repository.js';
import type { KeysRepository } from '../adapters/store/keys.repository.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import type { SchemaValidators } from '../adapters/schema-validators.js';
import type { AdvanceKit } from '../domain/crew/kit.js';
import { entitlementToRun, looksAtRoles } from '../domain/crew/needs.js';
import type { AgentRoute } from '../domain/crew/run-state.js';
import type { AllowedTool } from '../domain/crew/turn.js';
import type { OfferedTool } from '../domain/crew/turn-way.js';
import { decideStep } from '../domain/decide.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting } from './access.service.js';
import type { Abilities } from './availability.service.js';
import type { LimitsService } from './limits.service.js';

type OfferedTools = ReadonlyMap<AgentTool, OfferedTool & AllowedTool>;

/** What tells of the world around runs. */
export interface CrewWorldParts {
  keys: KeysRepository;
  roles: RolesRepository;
  access: AccessService;
  limits: LimitsService;
  abilities: Abilities;
  validators: SchemaValidators;
  tools: OfferedTools;
  routing: () => RoutingTable;
}

/** What a run is moved on in: who it works for, and what there is. */
export interface World {
  acting: Acting;
  routes: ReadonlyMap<string, AgentPath>;
  kit: Omit<AdvanceKit, 'now'>;
  /** By which decisions are made. */
  table: RoutingTable;
  /** What was refused in this advance, for the record. */
  denials: Record<string, unknown>[];
}

/** Where the turns of an agent go, and by which decision; without one nobody answers for it. */
interface AgentPath {
  route: AgentRoute;
  path?: { decision: Decision; maxTokens: number; isWarmable: boolean };
}

/** Room for data where nobody knows how much a model can read, in UTF-16 units; and the least and the most that is given. */
const USUAL_CHARS = 12_000;
const LEAST_CHARS = 800;
const MOST_CHARS = 200_000;
const CHARS_PER_TOKEN = 2.5;
/** What stands around the data in a prompt, in tokens. */
const FRAME_TOKENS = 500;

const MOST_ROLES = 200;

/** The world around runs of crews, as it is when it is asked for. */
export class CrewWorlds {
  constructor(private readonly parts: CrewWorldParts) {}

  /** Who the run works for, as they stand at this moment: no more than now, and no more than at its start. */
  private async standing(run: RunHead): Promise<{ acting: Acting } | { lost: string }> {
    const key = await this.parts.keys.caller(run.keyId);
    if (!key) return { lost: 'the key with which it was started opens nothing any more' };
    try {
      const acting = await this.parts.access.resolve(key, { daoId: run.daoId, userId: named(key, run.actor) });
      const entitlements = acting.rights.entitlements.filter((one) => run.rights.includes(one));
      const needed = entitlementToRun(run.definition.open_to_guests);
      if (!entitlements.includes(needed)) return { lost: `whoever started it may not any more: ${needed}` };
      return { acting: { ...acting, rights: { ...acting.rights, entitlements } } };
    } catch (error) {
      if (error instanceof AppError && error.code !== 'STORE_UNAVAILABLE') return { lost: error.message };
      throw error;
    }
  }

  /**
   * Who a run works for now, and what there is for it.
   * @returns why nobody can work for it any more
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async of(run: RunHead): Promise<World | { lost: string }> {
    const standing = await this.standing(run);
    if ('lost' in standing) return standing;
    const { acting } = standing;
    const { daoId, definition } = run;
    const [routes, roles, broke] = await Promise.all([
      this.routesOf(definition, acting),
      looksAtRoles(definition) ? this.parts.roles.page(daoId, { after: '', limit: MOST_ROLES }) : [],
      this.parts.limits.exhausted(run.keyId, daoId, acting.limits),
    ]);
    const kit = {
      routeOf: (agent: string) => routes.get(agent)?.route ?? { refused: 'there is no such agent' },
      tool: (name: AgentTool) => toolOf(this.parts.tools, name),
      validator: (schema: JsonSchema) => this.parts.validators.of(schema),
      parseJson,
      roles: roles.map(({ name }) => name),
      broke,
    };
    return { acting, routes, kit, table: this.parts.routing(), denials: [] };
  }

  private async routesOf(definition: CrewDefinition, acting: Acting): Promise<Map<string, AgentPath>> {
    const paths = Object.keys(definition.agents).map(async (agent): Promise<[string, AgentPath]> => [
      agent,
      await this.pathOf(definition, agent, acting),
    ]);
    return new Map(await Promise.all(paths));
  }

  private async pathOf({ id, agents }: CrewDefinition, agent: string, { facts }: Acting): Promise<AgentPath> {
    const { provider, limits } = agents[agent] ?? { provider: undefined, limits: { max_tokens: 0 } };
    const decision = decideStep(this.parts.routing(), facts, { crew: id, agent, provider });
    if (!decision) return { route: { refused: 'no rule leads to a model for it' } };
    const known = await Promise.all(decision.chain.map((step) => this.parts.abilities.facts(step.provider)));
    const maxTokens = Math.min(limits.max_tokens, ...decision.chain.map((step) => step.maxTokens));
    const route: AgentRoute = {
      capabilities: (known[0]?.capabilities ?? []).filter((one) =>
        known.every((facts) => facts?.capabilities.includes(one)),
      ),
      maxChars: roomFor(
        known.map((facts) => facts?.contextLength ?? null),
        maxTokens,
      ),
      maxTokens,
      priced: decision.chain.every((step) => step.price !== undefined),
    };
    const isWarmable = known.every((facts) => facts && !facts.lacks.includes('temperature'));
    return { route, path: { decision, maxTokens, isWarmable } };
  }
}

/** A gateway key names the user; another key speaks for its own. */
const named = (key: CallerKey, actor: string): string | undefined => (actor === key.principal ? undefined : actor);

function toolOf(tools: OfferedTools, name: AgentTool): OfferedTool & AllowedTool {
  const tool = tools.get(name);
  if (!tool) throw new TypeError(`there is no tool ${name}`);
  return tool;
}

const parseJson = (text: string): unknown => JSON.parse(jsonrepair(text));

/** How much data fits the smallest of some models beside everything else, in UTF-16 units. */
function roomFor(lengths: readonly (number | null)[], maxTokens: number): number {
  const known = lengths.filter((length) => length !== null);
  if (known.length === 0) return USUAL_CHARS;
  const tokens = Math.min(...known) - maxTokens - FRAME_TOKENS;
  return Math.max(LEAST_CHARS, Math.min(MOST_CHARS, Math.floor(tokens * CHARS_PER_TOKEN)));
}
