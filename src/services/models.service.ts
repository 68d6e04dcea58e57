import type { CallerKey } from '../contracts/access.js';
import type { Capability, ModelFacts } from '../contracts/chat.js';
import type { DecisionInputs } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import { decide, promptInputs } from '../domain/decide.js';
import { providersOf } from '../domain/routing.js';
import { crewModelOf, modelOf, RULES_CHOOSE } from '../contracts/virtual-models.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Named } from './access.service.js';
import type { Abilities } from './availability.service.js';
import type { CrewsService } from './crews.service.js';

/** A virtual model, as `GET /v1/models` tells it. */
export interface ModelEntry {
  id: string;
  /** When the configuration that it belongs to was activated. */
  createdAt: Date;
  ownedBy: string;
  facts: ModelFacts;
}

/** Most characters of a name that a refusal repeats. */
const SHOWN = 100;

/** What is said where the endpoint and the profile say nothing. */
const UNKNOWN: ModelFacts = { model: null, contextLength: null, maxTokens: 0, capabilities: [], lacks: [] };

/** The virtual models that a caller may ask for. */
export class ModelsService {
  /** @param table the rules as they are now, and since when */
  constructor(
    private readonly table: () => { routing: RoutingTable; since: Date },
    private readonly access: AccessService,
    private readonly abilities: Abilities,
    private readonly crews: Pick<CrewsService, 'open'>,
  ) {}

  /**
   * `dagi-stack`, the providers that the caller may name, and the crews that they may start, by name.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `chat.write`, and those of `AccessService`
   */
  async list(key: CallerKey, named: Named): Promise<ModelEntry[]> {
    const acting = await this.access.require(key, named, 'chat.write');
    const { facts: access } = acting;
    const { routing, since } = this.table();
    const entry = (id: string, facts: ModelFacts): ModelEntry => ({
      id,
      createdAt: since,
      ownedBy: RULES_CHOOSE,
      facts,
    });
    const open = providersOf(routing).all.filter((provider) => isOpen(routing, modelOf(provider), access));
    const models = await Promise.all(
      open.toSorted().map(async (name) => entry(modelOf(name), (await this.abilities.facts(name)) ?? UNKNOWN)),
    );
    const crews = (await this.crews.open(acting)).map(({ definition }) => entry(crewModelOf(definition.id), UNKNOWN));
    return [entry(RULES_CHOOSE, together(models.map(({ facts }) => facts))), ...models, ...crews];
  }

  /** @throws AppError `MODEL_NOT_FOUND` where `list` has no such model, and its errors */
  async find(key: CallerKey, named: Named, id: string): Promise<ModelEntry> {
    const found = (await this.list(key, named)).find((model) => model.id === id);
    if (!found) throw noModel(id);
    return found;
  }
}

/** The refusal of a model, by the name that was sent. */
export const noModel = (name: string): AppError =>
  new AppError(
    'MODEL_NOT_FOUND',
    `There is no model "${name.slice(0, SHOWN)}", or it is not open to you: see GET /v1/models.`,
  );

/** Whether a short call that says nothing about itself may ask for a model. */
function isOpen(table: RoutingTable, model: string, access: DecisionInputs['access']): boolean {
  const about = { mode: 'chat', agent: undefined, source: 'openai', metadata: {}, model, access } as const;
  return decide(table, { ...about, ...promptInputs('') }).allowed;
}

/** What can be had where the rules choose: what one of the models can do, as each call goes to one that can. */
function together(facts: readonly ModelFacts[]): ModelFacts {
  const lengths = facts.map(({ contextLength }) => contextLength ?? Infinity);
  const longest = Math.max(0, ...lengths);
  const [first, ...others] = facts;
  return {
    model: null,
    contextLength: longest > 0 && Number.isFinite(longest) ? longest : null,
    maxTokens: Math.max(0, ...facts.map(({ maxTokens }) => maxTokens)),
    capabilities: [...new Set<Capability>(facts.flatMap(({ capabilities }) => capabilities))],
    lacks: (first?.lacks ?? []).filter((name) => others.every(({ lacks }) => lacks.includes(name))),
  };
}
