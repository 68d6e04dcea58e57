import type { GateOrder, GateView, StepView } from '../../contracts/crew-run.js';
import type { Spending } from '../../contracts/crew.js';
import { taskOfStep } from '../../contracts/ids.js';
import { reachedLimit, usageOfRun, type Extensions, type ReachedLimit } from './budget.js';
import type { AdvanceKit } from './kit.js';
import { retryAt } from './retries.js';
import type { CrewRun, StepOrder } from './run-state.js';
import { valuesOfMap } from './values.js';

/** How long people are given for a question or a limit, in seconds: a reminder after a day, an end after a week. */
const REMIND_AFTER_S = 86_400;
const EXPIRES_AFTER_S = 604_800;

/** What an open turn is taken to use until it has ended, beside its longest answer, in tokens. */
const OPEN_PROMPT_TOKENS = 1_000;

/** What may stop a turn before it begins: a limit of the whole run, or of a task. */
export type Halt = 'working' | 'asking' | 'stopped';

/** How a turn of a model stands. */
export type TurnStep =
  | { kind: 'untaken'; key: string }
  | { kind: 'working' }
  | { kind: 'done'; step: StepView }
  /** For good. */
  | { kind: 'failed'; step: StepView };

/** Collects what is to be done of a run, and keeps it within its limits. */
export class Orders {
  readonly steps: StepOrder[] = [];
  readonly gates: GateOrder[] = [];
  /** When to look again, at the latest. */
  lookAt: Date | null = null;
  /** The limit at which people stopped the run, if they did. */
  stopped: { limit: string; reason: string } | null = null;
  /** What turns that have not ended are taken to use, by their keys, in tokens. */
  private readonly reserved = new Map<string, number>();

  constructor(
    private readonly run: CrewRun,
    private readonly kit: AdvanceKit,
  ) {
    for (const { key, kind, state } of run.steps.values()) {
      if (kind === 'model' && state === 'open') this.reserved.set(key, OPEN_PROMPT_TOKENS + this.longestAnswer(key));
    }
  }

  /** Orders a step, once. */
  step(order: StepOrder): void {
    if (!this.steps.some(({ key }) => key === order.key)) this.steps.push(order);
  }

  /** The step of a turn, once it has ended, or the key under which it is to be taken; after a failure in passing, again. */
  turn(base: string): TurnStep {
    let telling: StepView | undefined;
    for (let tries = 0; ; tries += 1) {
      const key = tries === 0 ? base : `${base}~${tries}`;
      const step = this.run.steps.get(key);
      if (!step) return { kind: 'untaken', key };
      if (step.state === 'open') return { kind: 'working' };
      if (step.state === 'done') return { kind: 'done', step };
      const again = retryAt(step, tries);
      // That a provider rests says less than why it does.
      if (step.failure?.code !== 'PROVIDERS_COOLING') telling ??= step;
      if (!again) return { kind: 'failed', step: telling ?? step };
      if (again > this.kit.now) {
        this.later(again);
        return { kind: 'working' };
      }
    }
  }

  /** Looks again at a moment, or sooner. */
  later(moment: Date): void {
    if (!this.lookAt || moment < this.lookAt) this.lookAt = moment;
  }

  /** The gate of this id: as it stands, or ordered now. */
  gate(order: Omit<GateOrder, 'remindAfterS' | 'expiresAfterS'> & Partial<GateOrder>): GateView | undefined {
    const known = this.run.gates.get(order.id);
    if (!known && !this.gates.some(({ id }) => id === order.id)) {
      this.gates.push({ remindAfterS: REMIND_AFTER_S, expiresAfterS: EXPIRES_AFTER_S, ...order });
    }
    return known;
  }

  /** How often people let the run go on at a limit. */
  extensions(name: string): number {
    let count = 0;
    while (this.run.gates.get(limitGateId(name, count))?.state === 'continued') count += 1;
    return count;
  }

  /**
   * Asks people whether a run goes on at a limit. Of the whole run only one is asked at a time.
   * @returns whether it waits for them, or they have stopped it
   */
  limit(name: string, task: string | null, shown: Readonly<Record<string, unknown>>): Halt {
    const gate = this.gate({
      id: limitGateId(name, this.extensions(name)),
      kind: 'limit',
      task,
      ask: `A limit was reached (${name}). Go on with as much again, or stop?`,
      shown: { limit: name, ...shown },
      roles: this.run.definition.limit_roles,
      count: 1,
      self: true,
    });
    if (!gate || gate.state === 'open') return 'asking';
    this.stopped = { limit: name, reason: gate.comment ?? (gate.state === 'expired' ? 'nobody decided in time' : '') };
    return 'stopped';
  }

  /**
   * Whether a turn of a model may begin.
   * @param key of its step: asked again for the same, nothing more is kept
   * @param tokens longest answer
   * @returns undefined: it may, and what it may use is kept for it
   */
  reserve(key: string, tokens: number): Halt | undefined {
    if (this.kit.broke) return this.limit('month', null, { reason: this.kit.broke });
    if (this.reserved.has(key)) return undefined;
    const reached = this.reached(tokens);
    if (reached) return this.limit(reached.limit, null, { used: reached.used, allowed: reached.allowed });
    const others = [...this.reserved.values()].reduce((sum, kept) => sum + kept, 0);
    // What those use that are at work is known when they have ended: nobody is asked before.
    if (this.reached(others + tokens)) return 'working';
    this.reserved.set(key, OPEN_PROMPT_TOKENS + tokens);
    return undefined;
  }

  /** Whether a limit would be asked about before a turn with so long an answer. */
  isSpent(tokens: number): boolean {
    return this.kit.broke !== undefined || this.reached(tokens) !== undefined;
  }

  /** Whether a tool may be used, which costs time; undefined: it may. */
  useOfTool(): Halt | undefined {
    const reached = this.reached(0);
    return reached && this.limit(reached.limit, null, { used: reached.used, allowed: reached.allowed });
  }

  private reached(tokens: number): ReachedLimit | undefined {
    return reachedLimit(this.run.definition.budget, this.spending(tokens), this.runExtensions());
  }

  /** Longest answer of whoever has the turn of a key, in tokens. */
  private longestAnswer(key: string): number {
    const { tasks, manager = '' } = this.run.definition;
    const route = this.kit.routeOf(tasks[taskOfStep(key)]?.agent ?? manager);
    return 'refused' in route ? 0 : route.maxTokens;
  }

  private runExtensions(): Extensions {
    const names = ['tokens', 'cost_usd', 'time_s'] as const;
    return Object.fromEntries(names.map((name) => [name, this.extensions(name)]));
  }

  /** What the run has used, with tokens that are kept for what has not ended. */
  private spending(reserved: number): Pick<Spending, 'usage' | 'ms'> {
    const steps = valuesOfMap(this.run.steps);
    const usage = usageOfRun(
      steps.map((step) => step.usage),
      this.run.lost,
    );
    const ms = steps.reduce((sum, step) => sum + step.ms, 0);
    return { usage: { ...usage, total_tokens: usage.total_tokens + reserved }, ms };
  }
}

const limitGateId = (name: string, count: number): string => `limit.${name}.${count}`;
