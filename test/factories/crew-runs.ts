import { expect } from '@jest/globals';
import { jsonrepair } from 'jsonrepair';
import type { ToolCall } from '../../src/contracts/chat.js';
import type { CrewDefinition, GateState } from '../../src/contracts/crew.js';
import type { GateOrder, GateView, StepView, TaskProgress } from '../../src/contracts/crew-run.js';
import { SchemaValidators } from '../../src/adapters/schema-validators.js';
import { advance } from '../../src/domain/crew/advance.js';
import type { AdvanceKit } from '../../src/domain/crew/kit.js';
import type { Advance, AgentRoute, CrewRun, StepOrder } from '../../src/domain/crew/run-state.js';
import { agentTools } from '../../src/schemas/agent-tools.js';

/** What comes of a step. */
export type Outcome =
  /** A model says a text, or an object as JSON. */
  | { says: unknown; tokens?: number; usd?: number; isCut?: boolean }
  | { calls: readonly ToolCall[] }
  /** A tool gives something. */
  | { gives: unknown }
  | { fails: string; retryAfterMs?: number };

/** Outcomes of steps by their keys, or told from each. */
export type Script = Readonly<Record<string, Outcome>> | ((order: StepOrder) => Outcome | undefined);

interface Scene {
  definition: CrewDefinition;
  script: Script;
  inputs?: CrewRun['inputs'];
  subject?: string;
  tasks?: CrewRun['tasks'];
  lost?: CrewRun['lost'];
  kit?: Partial<AdvanceKit>;
}

type ModelOrder = Extract<StepOrder, { kind: 'model' }>;

/** Most looks at one run: more are a loop. */
const MOST_LOOKS = 2_000;
const SETTLED = ['completed', 'reused', 'skipped', 'failed'];
const TOOLS = agentTools();
const validators = new SchemaValidators();

export const aRoute = (changes: Partial<Exclude<AgentRoute, { refused: string }>> = {}): AgentRoute => ({
  ...{ capabilities: ['tools', 'json_schema'], maxChars: 4_000, maxTokens: 100, priced: true },
  ...changes,
});

/** A call of a tool as models make them. */
export const aCall = (name: string, params: unknown, id = 'call_1'): ToolCall => ({
  ...{ id, name, arguments: typeof params === 'string' ? params : JSON.stringify(params) },
});

/** Everything around a run: nothing is missing, and the real tools and checks are there. */
export const aKit = (changes: Partial<AdvanceKit> = {}): AdvanceKit => ({
  now: new Date(0),
  routeOf: () => aRoute(),
  tool: (name) => TOOLS.get(name)!,
  validator: (schema) => validators.of(schema),
  parseJson: (text) => JSON.parse(jsonrepair(text)) as unknown,
  roles: ['admin', 'member'],
  broke: undefined,
  ...changes,
});

/**
 * A run in memory: does what `advance` orders, by a script. Strict: what is ordered again, has no script, begins before
 * its needs, or follows from no news is an error.
 */
export class PlayedRun {
  /** All that was ordered, in its order. */
  readonly orders: StepOrder[] = [];
  readonly asked: GateOrder[] = [];
  readonly tasks: Record<string, TaskProgress>;
  readonly gates = new Map<string, GateView>();
  readonly steps = new Map<string, StepView>();
  final: Advance['final'] = null;
  lookAt: Date | null = null;
  now = new Date(0);
  kit: Partial<AdvanceKit>;
  private handoffs = 0;
  private looks = 0;

  constructor(private readonly scene: Scene) {
    this.tasks = { ...scene.tasks };
    this.kit = scene.kit ?? {};
  }

  /** Keys of all that was ordered. */
  get keys(): string[] {
    return this.orders.map(({ key }) => key);
  }

  /** Keys of steps that have not ended. */
  get open(): string[] {
    return [...this.steps.values()].filter(({ state }) => state === 'open').map(({ key }) => key);
  }

  /** Ids of gates at which nobody has decided. */
  get waitsFor(): string[] {
    return [...this.gates.values()].filter(({ state }) => state === 'open').map(({ id }) => id);
  }

  /** How each task stands. */
  get states(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.tasks).map(([id, { state }]) => [id, state]));
  }

  order(key: string): StepOrder {
    const order = this.orders.find((one) => one.key === key);
    if (!order) throw new Error(`${key} was not ordered; there are: ${this.keys.join(', ')}`);
    return order;
  }

  /** What the first turn of an attempt is told. */
  prompt(key: string): Extract<ModelOrder['says'], { prompt: unknown }>['prompt'] {
    const { says } = this.turn(key);
    if (!('prompt' in says)) throw new Error(`${key} goes on behind another turn`);
    return says.prompt;
  }

  /** What a later turn is told. */
  follow(key: string): Extract<ModelOrder['says'], { after: string }>['follow'] {
    const { says } = this.turn(key);
    if (!('follow' in says)) throw new Error(`${key} begins by itself`);
    return says.follow;
  }

  turn(key: string): ModelOrder {
    const order = this.order(key);
    if (order.kind !== 'model') throw new Error(`${key} is no turn`);
    return order;
  }

  /** Looks once, does what follows, and checks that nothing more follows without news. */
  look(): this {
    if ((this.looks += 1) > MOST_LOOKS) throw new Error('the run does not end');
    const next = this.advance();
    Object.assign(this.tasks, next.tasks);
    for (const order of next.steps) this.begin(order);
    for (const gate of next.gates) this.ask(gate);
    this.handoffs = next.handoffs;
    this.final = next.final;
    this.lookAt = next.lookAt;
    if (!next.final) expect(this.advance()).toEqual({ ...next, tasks: {}, steps: [], gates: [] });
    return this;
  }

  /** Ends an open step as its script says. */
  end(key: string): this {
    const step = this.steps.get(key);
    if (step?.state !== 'open') throw new Error(`${key} is not open`);
    const { script } = this.scene;
    const order = this.order(key);
    const outcome = typeof script === 'function' ? script(order) : script[key];
    if (!outcome) throw new Error(`there is no script for ${key}: ${JSON.stringify(order)}`);
    this.steps.set(key, { ...step, ...ended(outcome), endedAt: this.now });
    return this;
  }

  /** What people decided at a gate. */
  decide(id: string, state: GateState, { comment = null, output = null }: Partial<GateView> = {}): this {
    const gate = this.gates.get(id);
    if (gate?.state !== 'open') throw new Error(`${id} is not open; there are: ${this.waitsFor.join(', ')}`);
    this.gates.set(id, { ...gate, state, comment, output });
    return this;
  }

  /** Goes on until people are asked or it ends; pauses pass at once. */
  play(): this {
    for (this.look(); !this.final; this.look()) {
      const [first] = this.open;
      if (first !== undefined) this.end(first);
      else if (this.lookAt) this.now = this.lookAt;
      else if (this.waitsFor.length > 0) return this;
      else throw new Error(`the run stands still: ${JSON.stringify(this.states)}`);
    }
    return this;
  }

  private advance(): Advance {
    const { definition, inputs = {}, subject = null, lost = { tokens: 0, usd: 0 } } = this.scene;
    const { tasks, steps, gates, handoffs } = this;
    const run = { definition, inputs, subject, tasks, steps, gates, handoffs, lost };
    const before = JSON.stringify([run, [...steps], [...gates]]);
    const next = advance(run, aKit({ ...this.kit, now: this.now }));
    expect(JSON.stringify([run, [...steps], [...gates]])).toBe(before);
    return next;
  }

  private begin(order: StepOrder): void {
    if (this.keys.includes(order.key)) throw new Error(`${order.key} was ordered twice`);
    for (const need of this.scene.definition.tasks[order.task]?.needs ?? []) {
      if (!SETTLED.includes(this.tasks[need]?.state ?? '')) throw new Error(`${order.task} began before ${need}`);
    }
    this.orders.push(order);
    this.steps.set(order.key, {
      ...{ key: order.key, kind: order.kind, state: 'open', text: '', toolCalls: [], isCut: false, result: null },
      ...{ failure: null, usage: null, ms: 0, endedAt: null },
    });
  }

  private ask(order: GateOrder): void {
    const { id, kind, task } = order;
    if (this.gates.has(id)) throw new Error(`${id} was asked twice`);
    this.asked.push(order);
    this.gates.set(id, {
      ...{ id, kind, task, state: 'open', comment: null, output: null, reminded: false },
      remindAt: new Date(this.now.getTime() + order.remindAfterS * 1_000),
      expiresAt: new Date(this.now.getTime() + order.expiresAfterS * 1_000),
    });
  }
}

function ended(outcome: Outcome): Partial<StepView> {
  if ('fails' in outcome) {
    const { fails: code, retryAfterMs } = outcome;
    const failure = { code, reason: `scripted ${code}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    return { state: 'failed', failure };
  }
  if ('gives' in outcome) return { state: 'done', result: outcome.gives, ms: 10 };
  const usage = usageOf('says' in outcome ? outcome : {});
  if ('calls' in outcome) return { state: 'done', toolCalls: outcome.calls, usage, ms: 100 };
  const { says, isCut = false } = outcome;
  return { state: 'done', text: typeof says === 'string' ? says : JSON.stringify(says), isCut, usage, ms: 100 };
}

const usageOf = ({ tokens = 10, usd }: { tokens?: number; usd?: number }): StepView['usage'] => ({
  ...{ prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
  ...(usd !== undefined && { cost_usd: usd }),
});
