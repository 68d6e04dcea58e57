import { jsonrepair } from 'jsonrepair';
import type { Logger } from 'pino';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import type { ErrorObject } from '../contracts/bodies.js';
import type { ChatMessage } from '../contracts/chat.js';
import type { AgentTool, CrewDefinition, JsonSchema } from '../contracts/crew.js';
import type { AdvanceCrewInput, AdvancedCrew, CrewProgress, StepInput } from '../contracts/crew-steps.js';
import { TOOLS } from '../contracts/devtools.js';
import { MODE_PRIORITY, type Decision } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import { callOf, type NewStep } from '../adapters/store/crew-steps.js';
import {
  applyChanges,
  endRun,
  openStepsOf,
  passTime,
  type CrewRunsRepository,
  type LoadedRun,
  type RunEnd,
  type RunHead,
} from '../adapters/store/crew-runs.repository.js';
import type { KeysRepository } from '../adapters/store/keys.repository.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import type { SchemaValidators } from '../adapters/schema-validators.js';
import { sha256 } from '../adapters/digest.js';
import { advance } from '../domain/crew/advance.js';
import { NO_USAGE, totalSpending } from '../domain/crew/budget.js';
import type { AdvanceKit } from '../domain/crew/kit.js';
import { assistantMessage, firstMessages, toolMessages } from '../domain/crew/prompt.js';
import type { Advance, AgentRoute, RunFinal, StepOrder } from '../domain/crew/run-state.js';
import { numberedCalls, repairMessage, type AllowedTool } from '../domain/crew/turn.js';
import { turnOptions, turnSampling } from '../domain/crew/turn-form.js';
import type { OfferedTool } from '../domain/crew/turn-way.js';
import { decideStep } from '../domain/decide.js';
import { AppError } from '../errors/app-error.js';
import { ERRORS } from '../errors/catalogue.js';
import type { AccessService, Acting } from './access.service.js';
import type { Abilities } from './availability.service.js';
import type { LimitsService } from './limits.service.js';

type OfferedTools = ReadonlyMap<AgentTool, OfferedTool & AllowedTool>;

export interface CrewAdvanceParts {
  runs: CrewRunsRepository;
  keys: KeysRepository;
  roles: RolesRepository;
  access: AccessService;
  limits: LimitsService;
  abilities: Abilities;
  validators: SchemaValidators;
  tools: OfferedTools;
  routing: () => RoutingTable;
  log: Logger;
}

/** A turn of a model, or a use of a tool, has so long; the providers' own limits are shorter. */
const STEP_MS = 900_000;
/** Room for data where nobody knows how much a model can read, in UTF-16 units; and the least and the most that is given. */
const USUAL_CHARS = 12_000;
const LEAST_CHARS = 800;
const MOST_CHARS = 200_000;
const CHARS_PER_TOKEN = 2.5;
/** What stands around the data in a prompt, in tokens. */
const FRAME_TOKENS = 500;

const MOST_ROLES = 200;

const WORKSPACE = new Set<string>(TOOLS);
const NEEDED: Readonly<Record<'workspace' | 'dao', Entitlement>> = { workspace: 'agent.devtools', dao: 'chat.read' };

/** Moves runs of crews on: what is next of each is a pure function of what is recorded, done here in one transaction. */
export class CrewAdvanceService {
  constructor(private readonly parts: CrewAdvanceParts) {}

  /**
   * Looks at a run, writes down what follows from what has happened, and tells what is to be done. Safe to repeat.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async advance({ runId, daoId }: AdvanceCrewInput): Promise<Moved> {
    const head = await this.parts.runs.head(runId, daoId);
    if (!head) return GONE;
    // All that is asked of others comes first: the run is locked for as short as can be.
    const world = await this.worldOf(head);
    const advanced = await this.parts.runs.locked(runId, daoId, async (db, run, now) => {
      if (!run) return GONE;
      if ('lost' in world) return this.fail(db, run, { code: 'CREW_STOPPED', reason: world.lost, task: null }, now);
      const timed = { ...run, gates: await passTime(db, run, now) };
      const next = advance(timed, { ...world.kit, now });
      return next.final ? this.end(db, run, next, now) : this.goOn(db, timed, next, world, now);
    });
    if ('acting' in world) for (const denial of world.denials) await this.parts.access.denied(world.acting, denial);
    return advanced;
  }

  /** Ends a run that is cancelled. Safe to repeat. */
  async cancel({ runId, daoId }: AdvanceCrewInput): Promise<void> {
    await this.parts.runs.locked(runId, daoId, async (db, run, now) => {
      if (!run) return;
      const error = { code: 'REQUEST_CANCELLED', message: ERRORS.REQUEST_CANCELLED.message };
      await endRun(db, run, { status: 'cancelled', error, ...spentOf(run, now) });
    });
  }

  /** Who the run works for, as they stand at this moment: no more than now, and no more than at its start. */
  private async standing(run: RunHead): Promise<{ acting: Acting } | { lost: string }> {
    const key = await this.parts.keys.caller(run.keyId);
    if (!key) return { lost: 'the key with which it was started opens nothing any more' };
    try {
      const acting = await this.parts.access.resolve(key, { daoId: run.daoId, userId: named(key, run.actor) });
      const entitlements = acting.rights.entitlements.filter((one) => run.rights.includes(one));
      const needed = run.definition.open_to_guests ? 'chat.read' : 'agent.crew';
      if (!entitlements.includes(needed)) return { lost: `whoever started it may not any more: ${needed}` };
      return { acting: { ...acting, rights: { ...acting.rights, entitlements } } };
    } catch (error) {
      if (error instanceof AppError && error.code !== 'STORE_UNAVAILABLE') return { lost: error.message };
      throw error;
    }
  }

  private async worldOf(run: RunHead): Promise<World | { lost: string }> {
    const standing = await this.standing(run);
    if ('lost' in standing) return standing;
    const { acting } = standing;
    const { daoId, definition } = run;
    const [routes, roles, broke] = await Promise.all([
      this.routesOf(definition, acting),
      this.parts.roles.page(daoId, { after: '', limit: MOST_ROLES }),
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
    return { acting, routes, kit, denials: [] };
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

  private async goOn(db: Db, run: LoadedRun, next: Advance, world: World, now: Date): Promise<Moved> {
    const steps: NewStep[] = [];
    for (const order of next.steps) steps.push(await this.stepOf(db, run, order, world, now));
    await applyChanges(db, run, { ...next, steps });
    const open = await openStepsOf(db, run);
    const gates = [...run.gates.values()].filter(({ state }) => state === 'open');
    const [asked = null] = [...gates, ...next.gates].map(({ kind }) => kind);
    const waitsFor = open.length > 0 ? null : asked;
    return {
      steps: open.map(toStepInput),
      waitMs: steps.some(({ refused }) => refused) ? 0 : waitMs(next, gates, now),
      ended: null,
      waitsFor,
      tokens: totalOf(run).total_tokens,
      progress: progressOf(run, next, waitsFor),
    };
  }

  private async stepOf(db: Db, run: LoadedRun, order: StepOrder, world: World, now: Date): Promise<NewStep> {
    const { key, task, agent, label } = order;
    const about = { crew: run.crew, task, agent, label };
    const deadlineAt = new Date(now.getTime() + STEP_MS);
    if (order.kind === 'tool') {
      const { tool, params } = order;
      const decision = toolDecision(tool, world.acting, this.parts.routing());
      const refused = refusalOf(tool, world);
      return { key, about, decision, deadlineAt, work: { tool: { tool, params } }, ...(refused && { refused }) };
    }
    const path = world.routes.get(agent)?.path;
    if (!path) throw new TypeError(`a turn of ${agent} was ordered, and nobody answers for it`);
    const messages = await messagesOf(db, run, order);
    const { maxTokens, isWarmable } = path;
    const sampling = isWarmable ? turnSampling(order.misses) : {};
    const options = { maxTokens, ...sampling, ...turnOptions(order.way, order.form) };
    return { key, about, decision: path.decision, deadlineAt, work: { call: { kind: 'chat', messages, options } } };
  }

  private async end(db: Db, run: LoadedRun, { final, ...next }: Advance, now: Date): Promise<Moved> {
    await applyChanges(db, run, { ...next, steps: [], gates: [] });
    if (final?.status !== 'completed') {
      const { code = 'CREW_FAILED', reason = '', task = null } = final ?? {};
      return this.fail(db, run, { code, reason, task }, now);
    }
    await endRun(db, run, { status: 'completed', data: final.data, ...spentOf(run, now) });
    const { total_tokens: tokens } = totalOf(run);
    return { ...GONE, ended: 'completed', tokens, progress: progressOf(run, next) };
  }

  private async fail(
    db: Db,
    run: LoadedRun,
    { code, reason, task }: Pick<FailedRun, 'code' | 'reason' | 'task'>,
    now: Date,
  ): Promise<Moved> {
    const error = { code, message: ERRORS[code].message, reason, ...(task !== null && { task }) };
    const end: RunEnd = { status: 'failed', error, ...spentOf(run, now) };
    await endRun(db, run, end);
    this.parts.log.info(
      { request_id: run.runId, dao_id: run.daoId, crew: run.crew, code, reason },
      'run of a crew failed',
    );
    return { ...GONE, ended: 'failed', tokens: totalOf(run).total_tokens };
  }
}

/** What a run is moved on in: who it works for, and what there is. */
interface World {
  acting: Acting;
  routes: ReadonlyMap<string, AgentPath>;
  kit: Omit<AdvanceKit, 'now'>;
  /** What was refused in this advance, for the record. */
  denials: Record<string, unknown>[];
}

/** Why whoever started the run may not use a tool; undefined: they may. */
function refusalOf(tool: AgentTool, { acting, denials }: World): ErrorObject | undefined {
  const needed = WORKSPACE.has(tool) ? NEEDED.workspace : NEEDED.dao;
  const { entitlements, roles } = acting.rights;
  if (entitlements.includes(needed)) return undefined;
  const detail = { required_entitlement: needed, roles };
  denials.push({ ...detail, tool });
  const { message } = ERRORS.RBAC_PERMISSION_DENIED;
  return { code: 'RBAC_PERMISSION_DENIED', message, reason: `${tool} needs ${needed}`, ...detail };
}

/** Where the turns of an agent go, and by which decision; without one nobody answers for it. */
interface AgentPath {
  route: AgentRoute;
  path?: { decision: Decision; maxTokens: number; isWarmable: boolean };
}

type FailedRun = Extract<RunFinal, { status: 'failed' }>;

/** What a run came to in one advance, with what those are told who follow it. */
type Moved = AdvancedCrew & { progress: CrewProgress[] };

const GONE: Moved = { progress: [], steps: [], waitMs: null, ended: 'cancelled', waitsFor: null, tokens: 0 };

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

/** The conversation of a turn: said anew, or what was said before with what follows from it. */
async function messagesOf(
  db: Db,
  run: LoadedRun,
  order: Extract<StepOrder, { kind: 'model' }>,
): Promise<ChatMessage[]> {
  const { says, way, key } = order;
  const mark = markOf(run.runId, key);
  if ('prompt' in says) return firstMessages({ ...says.prompt, mark });
  const before = await callOf(db, run, says.after);
  if (before?.kind !== 'chat') throw new TypeError(`the turn ${says.after} has no conversation`);
  const said = assistantMessage(says.text, way === 'native' ? numberedCalls(says.toolCalls) : []);
  const { follow } = says;
  const told =
    'problems' in follow
      ? [repairMessage(follow.problems)]
      : toolMessages(way, follow.outcomes, { mark, maxChars: follow.maxChars });
  return [...before.messages, said, ...told];
}

/** One mark for each attempt, so that a conversation has the same all through. Data that holds it is broken up. */
const markOf = (runId: string, key: string): string =>
  sha256(`${runId} ${key.replace(/\.\d+(~\d+)?$/, '')}`).slice(0, 16);

function toolDecision(tool: AgentTool, { rights }: Acting, table: RoutingTable): Decision {
  return {
    ...{ mode: 'devtools', rule: 'crew', chain: [], deadlineMs: STEP_MS, priority: MODE_PRIORITY.crew },
    ...{ roles: rights.roles, entitlements: rights.entitlements, configHash: table.hash },
    ...(WORKSPACE.has(tool) && { tool: TOOLS.find((name) => name === tool) }),
  } as Decision;
}

const toStepInput = ({ requestId, decision, deadlineAt, label }: OpenStep): StepInput => ({
  requestId,
  kind: decision.mode === 'chat' ? 'model' : decision.tool ? 'tool' : 'dao',
  label,
  deadlineAt: deadlineAt.getTime(),
  decision,
});

type OpenStep = Awaited<ReturnType<typeof openStepsOf>>[number];

function waitMs(
  next: Advance,
  gates: readonly { remindAt: Date; expiresAt: Date; reminded: boolean }[],
  now: Date,
): number | null {
  const moments = [
    ...(next.lookAt ? [next.lookAt] : []),
    ...gates.map(({ remindAt, expiresAt, reminded }) => (reminded ? expiresAt : remindAt)),
    ...next.gates.map(
      ({ remindAfterS, expiresAfterS }) => new Date(now.getTime() + Math.min(remindAfterS, expiresAfterS) * 1_000),
    ),
  ];
  if (moments.length === 0) return null;
  return Math.max(0, Math.min(...moments.map((moment) => moment.getTime())) - now.getTime());
}

const progressOf = (
  run: LoadedRun,
  { tasks }: Pick<Advance, 'tasks'>,
  waitsFor: AdvancedCrew['waitsFor'] = null,
): CrewProgress[] => {
  const { total_tokens: tokens } = totalOf(run);
  return Object.entries(tasks).map(([task, { state }]) => ({
    ...{ task, state, tokens, waits_for: waitsFor },
    agent: run.definition.tasks[task]?.agent ?? '',
  }));
};

const totalOf = ({ steps }: LoadedRun) =>
  totalSpending(
    [...steps.values()].map(({ usage, ms }) => ({ usage: usage ?? NO_USAGE, ms, modelCalls: 0, toolCalls: 0 })),
  ).usage;

const spentOf = (run: LoadedRun, now: Date) => {
  const ms = now.getTime() - run.receivedAt.getTime();
  return { usage: totalOf(run), timings: { crew: ms, total: ms } };
};
