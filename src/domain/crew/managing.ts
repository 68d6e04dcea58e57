import type { StepView, TaskProgress } from '../../contracts/crew-run.js';
import type { CrewPlan, JsonSchema } from '../../contracts/crew.js';
import type { AdvanceKit } from './kit.js';
import { managerBlocks, managerChoices, managerInstruction, managerSchema, nextStep, staleAfter } from './manager.js';
import type { Halt, Orders } from './orders.js';
import type { TaskStates } from './plan.js';
import type { CrewRun } from './run-state.js';
import { readTurn } from './turn.js';
import { formWords } from './turn-form.js';
import { wayOf, type TurnWay } from './turn-way.js';

/** What the step of the manager's decision is called in place of a task; no task can be called so. */
const MANAGER = 'MANAGER';

/** The manager of a hierarchical crew: says which task is next, or which is to be done again. */
export class Manager {
  constructor(
    private readonly run: CrewRun,
    private readonly kit: AdvanceKit,
    private readonly orders: Orders,
  ) {}

  /**
   * What the manager has decided, as changes of tasks; `working`: it has not yet; `finish`: nothing is left to do. Where
   * it may not decide any more, or nobody answers for it, the first task in the order of the file is next.
   */
  decide(
    plan: CrewPlan,
    states: TaskStates,
    outputs: Readonly<Record<string, unknown>>,
  ): Record<string, Partial<TaskProgress>> | 'working' | 'finish' {
    const choices = managerChoices(plan, states, this.returns());
    if (choices.ready.length + choices.returnable.length === 0) return 'finish';
    const answer = this.answer(choices, outputs);
    if (answer === 'working') return 'working';
    const next = nextStep(answer, choices);
    if (next.kind === 'finish') return 'finish';
    const { task, note } = next;
    const before = this.run.tasks[task];
    if (!before) return 'finish';
    const notes = note === undefined ? before.notes : [...before.notes, note];
    if (next.kind === 'begin') return { [task]: { state: 'running', notes } };
    const again = { state: 'returned' as const, round: before.round + 1, attempt: 1, output: null };
    const stale = staleAfter(plan, states, task).map((id): [string, Partial<TaskProgress>] => {
      const { round } = this.run.tasks[id] ?? before;
      return [id, { state: 'waiting', round: round + 1, attempt: 1, output: null }];
    });
    return { ...Object.fromEntries(stale), [task]: { ...again, notes, returned: before.output } };
  }

  private returns(): Map<string, number> {
    return new Map(Object.entries(this.run.tasks).map(([id, { round }]) => [id, round - 1]));
  }

  /** The manager's answer; undefined: it has none to give. */
  private answer(
    choices: ReturnType<typeof managerChoices>,
    outputs: Readonly<Record<string, unknown>>,
  ): Record<string, unknown> | 'working' | undefined {
    const { definition, handoffs } = this.run;
    const agent = definition.manager ?? '';
    const route = this.kit.routeOf(agent);
    const profile = definition.agents[agent];
    if ('refused' in route || !profile || handoffs >= definition.max_handoffs) return undefined;
    // As for agents: what costs an unknown amount is not bought out of a budget in dollars.
    if (definition.budget.cost_usd !== undefined && !route.priced) return undefined;
    const taken = this.orders.turn(`${MANAGER}-${handoffs + 1}`);
    if (taken.kind === 'failed') return undefined;
    if (taken.kind === 'working') return 'working';
    const form = { tools: [], output: managerSchema(choices) };
    const way = wayOf(route, form);
    if (taken.kind === 'done') return this.read(taken.step, way, form.output);
    const { key } = taken;
    const halt = this.halt(key, route.maxTokens, choices);
    if (halt) return halt === 'over' ? undefined : 'working';
    const prompt = {
      agent: profile,
      instruction: managerInstruction(definition, choices),
      blocks: managerBlocks(outputs),
      form: formWords(way, form),
      hasTools: false,
      maxChars: route.maxChars,
    };
    const label = `${agent} decides what is next`;
    this.orders.step({ kind: 'model', key, task: MANAGER, agent, label, form, way, says: { prompt } });
    return 'working';
  }

  /** Why the manager is not asked now. Only so that it can look at what is done, nobody is asked for more. */
  private halt(key: string, tokens: number, { ready }: ReturnType<typeof managerChoices>): Halt | 'over' | undefined {
    if (ready.length === 0 && this.orders.isSpent(tokens)) return 'over';
    return this.orders.reserve(key, tokens);
  }

  private read({ text, isCut }: StepView, way: TurnWay, schema: JsonSchema): Record<string, unknown> | undefined {
    const output = this.kit.validator(schema);
    const reader = { way, parseJson: (words: string) => this.kit.parseJson(words), output, tools: [] };
    const turn = readTurn(text, [], { ...reader, mostCalls: 0, isCut });
    return turn.kind === 'output' ? turn.value : undefined;
  }
}
