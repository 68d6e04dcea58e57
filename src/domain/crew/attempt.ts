import type { StepView, TaskProgress } from '../../contracts/crew-run.js';
import { WRITING_TOOLS } from '../../contracts/devtools.js';
import type { AgentDefinition, ApprovalDefinition, TaskDefinition } from '../../contracts/crew.js';
import { problemsOf } from './checks.js';
import type { Block } from './data-block.js';
import { gather } from './gathering.js';
import { keyedSchema, unkeyed } from './keyed.js';
import type { AdvanceKit } from './kit.js';
import type { Halt, Orders } from './orders.js';
import { narrowedSchema, type SchemaUse } from './narrow.js';
import { personAnswer } from './prompt.js';
import { resolveReference, type Scope } from './references.js';
import type { AgentRoute, CrewRun, StepOrder } from './run-state.js';
import { readTurn, type AskedTool, type Turn } from './turn.js';
import { formWords } from './turn-form.js';
import { wayOf, type TurnForm, type TurnWay } from './turn-way.js';
import { isObject } from './values.js';

/** How an attempt at a task stands. */
export type AttemptEnd =
  /** Steps are to be done first, or people to be asked. */
  | { kind: 'working' | 'asking' | 'stopped' }
  | { kind: 'output'; output: Record<string, unknown> }
  /** @param final no further attempt would go better */
  | { kind: 'failed'; problem: string; final: boolean };

type Says = Extract<StepOrder, { kind: 'model' }>['says'];
type Route = Exclude<AgentRoute, { refused: string }> & { way: TurnWay };

/** Share of the room for data that what tools gave may take in one turn. */
const OUTCOMES_SHARE = 0.5;

/** After so many answers that did not fit nothing is offered any more that dependencies could go in a circle with. */
const MISSES_BEFORE_ORDER = 2;

const failed = (problem: string, final = false): AttemptEnd => ({ kind: 'failed', problem, final });

/**
 * One attempt at a task, told from its steps: what was read first, each turn of the model and what it led to. Asked
 * again it comes to the same, and orders what is missing.
 */
export class Attempt {
  private readonly definition: TaskDefinition;
  private readonly agent: AgentDefinition;
  private readonly prefix: string;
  private repairs = 0;
  private toolCalls = 0;

  constructor(
    private readonly run: CrewRun,
    private readonly task: string,
    private readonly progress: TaskProgress,
    private readonly kit: AdvanceKit,
    private readonly orders: Orders,
  ) {
    const definition = run.definition.tasks[task];
    const agent = definition && run.definition.agents[definition.agent];
    if (!definition || !agent) throw new TypeError(`the crew has no task ${task}, or nobody for it`);
    this.definition = definition;
    this.agent = agent;
    this.prefix = `${task}-${progress.round}.${progress.attempt}`;
  }

  evaluate(): AttemptEnd {
    const { agent, gather: definitions } = this.definition;
    const scope = { inputs: this.run.inputs, outputs: outputsOf(this.run) };
    const place = { prefix: this.prefix, task: this.task, agent };
    const read = gather(this.run, this.orders, definitions, scope, place);
    if (read.kind !== 'done') return read;
    const route = this.kit.routeOf(agent);
    if ('refused' in route) return failed(`nobody answers for ${agent}: ${route.refused}`, true);
    if (this.run.definition.budget.cost_usd !== undefined && !route.priced) {
      return failed(`the crew has a budget in dollars, and no price is known for ${agent}`, true);
    }
    const known = { ...scope, gathered: read.gathered };
    const way = wayOf(route, this.definition);
    return this.turns({ ...route, way }, known);
  }

  private turns(route: Route, scope: Scope): AttemptEnd {
    let says: Says | undefined;
    for (let number = 1; ; number += 1) {
      const halt = this.mayTakeTurn(number);
      if (halt) return { kind: halt };
      const turn = this.orders.turn(`${this.prefix}.${number}`);
      if (turn.kind === 'working') return turn;
      if (turn.kind === 'failed') return this.unanswered(turn.step);
      if (turn.kind === 'untaken') return this.takeTurn(turn.key, number, says, route, scope);
      const next = this.follow(this.read(turn.step, route), turn.step, scope, route);
      if ('kind' in next) return next;
      says = next;
    }
  }

  private unanswered({ failure }: StepView): AttemptEnd {
    return failed(`no model answered for ${this.definition.agent}: ${failure?.reason ?? ''}`);
  }

  /** Orders a turn, if the run may go on. @param says undefined: the first */
  private takeTurn(key: string, number: number, says: Says | undefined, route: Route, scope: Scope): AttemptEnd {
    const halt = this.orders.reserve(key, route.maxTokens);
    if (halt) return { kind: halt };
    const { task, misses } = this;
    const { agent } = this.definition;
    const form = this.form(scope, route, 'held');
    const label = `${agent} on ${task}, turn ${number}`;
    const said = says ?? this.first(route, scope);
    this.orders.step({ kind: 'model', key, task, agent, label, form, way: route.way, misses, says: said });
    return { kind: 'working' };
  }

  /** How many answers did not fit so far. */
  private get misses(): number {
    return this.repairs + this.progress.attempt - 1;
  }

  private form(scope: Scope, { way }: Route, use: SchemaUse): TurnForm {
    const { tools, output, checks } = this.definition;
    const narrowed = narrowedSchema(output, checks, { ...scope, roles: this.kit.roles }, use);
    return {
      tools: tools.map((name) => this.kit.tool(name)),
      output: way === 'constrained' ? keyedSchema(narrowed, checks, this.misses >= MISSES_BEFORE_ORDER) : narrowed,
    };
  }

  private first(route: Route, scope: Scope): Says {
    const { notes, returned } = this.progress;
    const { way, maxChars } = route;
    const form = this.form(scope, route, 'told');
    const prompt = {
      agent: this.agent,
      instruction: this.definition.instruction,
      blocks: [...this.blocks(scope), ...(returned ? [] : noteBlocks(notes))],
      form: formWords(way, form),
      hasTools: form.tools.length > 0,
      maxChars,
      ...(returned && { returned: { comments: notes, output: returned } }),
    };
    return { prompt };
  }

  private blocks(scope: Scope): Block[] {
    const used = this.definition.uses.map((name): Block => ({ name, value: resolveReference(name, scope) ?? null }));
    const read = Object.entries(scope.gathered).map(([name, value]): Block => ({ name: `gathered.${name}`, value }));
    return [...used, ...read.filter(({ value }) => value !== undefined)];
  }

  private mayTakeTurn(number: number): Halt | undefined {
    const name = `turns:${this.task}`;
    const allowed = this.agent.limits.turns * (1 + this.orders.extensions(name));
    return number <= allowed ? undefined : this.orders.limit(name, this.task, { used: number - 1, allowed });
  }

  private read(step: StepView, { way }: Route): Turn {
    return readTurn(step.text, step.toolCalls, {
      way,
      parseJson: (text) => this.kit.parseJson(text),
      output: this.kit.validator(this.definition.output),
      plain: (output) => unkeyed(output, this.definition.checks),
      tools: this.definition.tools.map((name) => this.kit.tool(name)),
      mostCalls: this.agent.limits.tool_calls,
      isCut: step.isCut,
    });
  }

  /** What a turn leads to: the output, or what the model is told next. */
  private follow(turn: Turn, step: StepView, scope: Scope, { maxChars }: Route): Says | AttemptEnd {
    const { text, toolCalls, key: after } = step;
    if (turn.kind === 'tools') {
      const outcomes = this.use(after, turn.calls);
      if (!Array.isArray(outcomes)) return outcomes;
      return { after, text, toolCalls, follow: { outcomes, maxChars: maxChars * OUTCOMES_SHARE } };
    }
    const problems = turn.kind === 'invalid' ? turn.problems : this.problems(turn.value, scope);
    if (turn.kind === 'output' && problems.length === 0) return { kind: 'output', output: turn.value };
    if (this.repairs >= this.definition.repairs) return failed(`its output does not fit: ${problems.join('; ')}`);
    this.repairs += 1;
    return { after, text, toolCalls, follow: { problems } };
  }

  private problems(output: Record<string, unknown>, scope: Scope): string[] {
    return problemsOf(this.definition.checks, output, { ...scope, roles: this.kit.roles });
  }

  /** What the tools of a turn gave, once all have. */
  private use(turn: string, calls: readonly AskedTool[]): { id: string; tool: string; result: unknown }[] | AttemptEnd {
    const used = calls.map((call, index) => ({ call, use: this.useOne(`${turn}.${index + 1}`, call) }));
    const halted = used.map(({ use }) => use).filter((use) => 'kind' in use);
    const stopped = halted.find(({ kind }) => kind !== 'asking') ?? halted[0];
    if (stopped) return stopped;
    return used.map(({ call, use }) => ({
      id: call.id,
      tool: call.tool,
      result: 'result' in use ? use.result : null,
    }));
  }

  private useOne(key: string, call: AskedTool): { result: unknown } | { kind: Halt } {
    if (call.refusal !== undefined) return { result: { error: call.refusal } };
    if (call.tool === 'ask_member') return this.question(key, call);
    if (this.isFree(call.tool)) return this.toolStep(key, call);
    const { tool_approval: rules } = this.definition;
    if (!rules) return { result: { error: `${call.tool} needs an approval, and the crew says of none` } };
    const seen = this.asItIs(key, call);
    if (!('tool' in seen)) return seen;
    return this.approval(key, seen, rules) ?? this.toolStep(key, seen);
  }

  private isFree(tool: string): boolean {
    return this.definition.unapproved_writes || !WRITING_TOOLS.some((name) => name === tool);
  }

  /** What people approve is written over nothing but what was there when they were asked. */
  private asItIs(key: string, call: AskedTool): AskedTool | { result: unknown } | { kind: Halt } {
    const { path, expected_hash: expected } = call.params;
    if (call.tool !== 'fs_write' || expected !== undefined) return call;
    const { task } = this;
    const { agent } = this.definition;
    const look = `${key}.before`;
    const step = this.run.steps.get(look);
    if (!step) {
      const label = `${agent} on ${task}: fs_read before fs_write`;
      this.orders.step({ kind: 'tool', key: look, task, agent, label, tool: 'fs_read', params: { path, lines: 1 } });
    }
    if (!step || step.state === 'open') return { kind: 'working' };
    const hash = hashSeen(step);
    if (hash !== undefined) return { ...call, params: { ...call.params, expected_hash: hash } };
    const { code, reason = 'it could not be looked at' } = step.failure ?? {};
    return { result: { error: reason, code } };
  }

  private question(key: string, { params }: AskedTool): { result: unknown } | { kind: Halt } {
    const ask = typeof params.question === 'string' ? params.question : JSON.stringify(params);
    const shown = { question: ask, agent: this.definition.agent };
    const gate = this.orders.gate({
      ...{ id: `question.${key}`, kind: 'question', task: this.task, ask, shown },
      ...{ roles: [], count: 1, self: true },
    });
    if (!gate || gate.state === 'open') return { kind: 'asking' };
    return { result: personAnswer(gate.state === 'answered' ? (gate.comment ?? '') : undefined) };
  }

  /** Undefined: the tool may be used. */
  private approval(
    key: string,
    { tool, params }: AskedTool,
    rules: ApprovalDefinition,
  ): { result: unknown } | { kind: Halt } | undefined {
    const gate = this.orders.gate({
      ...{ id: `tool.${key}`, kind: 'approval', task: this.task, ask: rules.ask, shown: { tool, params } },
      ...{ roles: rules.roles, count: rules.count, self: rules.self },
      ...{ remindAfterS: rules.remind_after_s, expiresAfterS: rules.expires_after_s },
    });
    if (!gate || gate.state === 'open') return { kind: 'asking' };
    if (gate.state === 'approved') return undefined;
    return { result: { error: 'people did not allow it', ...(gate.comment !== null && { reason: gate.comment }) } };
  }

  private toolStep(key: string, { tool, params }: AskedTool): { result: unknown } | { kind: Halt } {
    this.toolCalls += 1;
    const name = `tool_calls:${this.task}`;
    const allowed = this.agent.limits.tool_calls * (1 + this.orders.extensions(name));
    const step = this.run.steps.get(key);
    if (!step) {
      if (this.toolCalls > allowed) return { kind: this.orders.limit(name, this.task, { allowed }) };
      const halt = this.orders.useOfTool();
      if (halt) return { kind: halt };
      const { agent } = this.definition;
      const known = this.definition.tools.find((one) => one === tool);
      if (!known) return { result: { error: `${tool} is not a tool here` } };
      const label = `${agent} on ${this.task}: ${tool}`;
      this.orders.step({ kind: 'tool', key, task: this.task, agent, label, tool: known, params });
      return { kind: 'working' };
    }
    if (step.state === 'open') return { kind: 'working' };
    if (step.state === 'done') return { result: step.result };
    return { result: { error: step.failure?.reason ?? 'it failed', code: step.failure?.code } };
  }
}

/** Hash of a file that was looked at; null: there is none; undefined: nobody knows. */
function hashSeen({ state, result, failure }: StepView): string | null | undefined {
  if (state === 'failed') return failure?.code === 'FILE_NOT_FOUND' ? null : undefined;
  return isObject(result) && typeof result.hash === 'string' ? result.hash : undefined;
}

/** Outputs of the tasks that have one; of those that were skipped null. */
export function outputsOf({ tasks }: Pick<CrewRun, 'tasks'>): Record<string, unknown> {
  const ended = Object.entries(tasks).filter(([, { state }]) =>
    ['completed', 'reused', 'skipped', 'failed'].includes(state),
  );
  return Object.fromEntries(ended.map(([id, { output }]) => [id, output]));
}

const noteBlocks = (notes: readonly string[]): Block[] => notes.map((value) => ({ name: 'to be minded', value }));
