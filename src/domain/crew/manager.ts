import type { CrewDefinition, CrewPlan } from '../../contracts/crew.js';
import type { Block } from './data-block.js';
import { downstreamOf, readyTasks, type TaskStates } from './plan.js';
import { cutText } from '../../contracts/text.js';
import { isObject, ownValue } from './values.js';

/** How often a manager may send a done task back. */
export const MOST_RETURNS = 2;
/** What a manager says when nothing is left to do; no task can be called so. */
export const FINISH = 'FINISH';

/** Longest note of a manager to an agent, and longest instruction of a task that it is shown, in UTF-16 units. */
const LONGEST_NOTE = 500;
const LONGEST_INSTRUCTION = 200;

/** Among what a manager chooses. */
export interface ManagerChoices {
  /** Tasks that can begin. */
  ready: string[];
  /** Done tasks that can be sent back. */
  returnable: string[];
}

/** What is done next, and the manager's note to the agent that does it, which is data to that agent. */
export type NextStep =
  { kind: 'begin' | 'return'; task: string; note?: string; by: 'manager' | 'order' } | { kind: 'finish' };

/**
 * Whether a done task can be sent back: not too often; not if it, or anything done after it, was approved by people or
 * has changed the DAO; not while something that needs it is at work.
 */
function isReturnable(plan: CrewPlan, states: TaskStates, returns: ReadonlyMap<string, number>, id: string): boolean {
  if (states.get(id) !== 'completed' || (returns.get(id) ?? 0) >= MOST_RETURNS) return false;
  const touched = new Set([id, ...downstreamOf(plan, id)]);
  return plan.tasks
    .filter((task) => touched.has(task.id) && (states.get(task.id) ?? 'waiting') !== 'waiting')
    .every((task) => !task.hasApproval && !task.hasAction && isAtRest(states, task.id));
}

const isAtRest = (states: TaskStates, id: string): boolean =>
  ['completed', 'reused', 'skipped', 'failed'].includes(states.get(id) ?? 'waiting');

/** Among what the manager of a hierarchical crew chooses now. `returns`: how often each task was sent back. */
export const managerChoices = (
  plan: CrewPlan,
  states: TaskStates,
  returns: ReadonlyMap<string, number>,
): ManagerChoices => ({
  ready: readyTasks(plan, states),
  returnable: plan.tasks.map(({ id }) => id).filter((id) => isReturnable(plan, states, returns, id)),
});

/** The tasks whose outputs are out of date when a task is sent back: they wait again. In the order of the file. */
export const staleAfter = (plan: CrewPlan, states: TaskStates, task: string): string[] =>
  downstreamOf(plan, task).filter((id) => isAtRest(states, id));

/** The schema of a manager's answer. */
export function managerSchema({ ready, returnable }: ManagerChoices): Record<string, unknown> {
  return {
    type: 'object',
    properties: {
      next: { type: 'string', enum: [...ready, ...returnable, FINISH] },
      note: { type: 'string', maxLength: LONGEST_NOTE, description: 'what to mind, for whoever does it' },
    },
    required: ['next', 'note'],
    additionalProperties: false,
  };
}

/**
 * What is done next by a manager's answer. What makes no sense, or ends the work while tasks are left, is passed over:
 * the first task that can begin is next, in the order of the file.
 * @param answer undefined: the manager gave none that can be read
 */
export function nextStep(answer: unknown, { ready, returnable }: ManagerChoices): NextStep {
  const next = isObject(answer) ? ownValue(answer, 'next') : undefined;
  const said = isObject(answer) ? ownValue(answer, 'note') : undefined;
  const note = typeof said === 'string' && said.trim() !== '' ? { note: cutText(said.trim(), LONGEST_NOTE) } : {};
  if (typeof next === 'string' && ready.includes(next)) return { kind: 'begin', task: next, ...note, by: 'manager' };
  if (typeof next === 'string' && returnable.includes(next)) {
    return { kind: 'return', task: next, ...note, by: 'manager' };
  }
  const [first] = ready;
  return first === undefined ? { kind: 'finish' } : { kind: 'begin', task: first, by: 'order' };
}

/** The instruction of a manager: words of the author and ours. Outputs of tasks go into blocks: `managerBlocks`. */
export function managerInstruction({ tasks }: Pick<CrewDefinition, 'tasks'>, choices: ManagerChoices): string {
  const line = (id: string): string => {
    const words = ownValue(tasks, id)?.instruction.replaceAll(/\s+/g, ' ').trim() ?? '';
    return `- ${id}: ${cutText(words, LONGEST_INSTRUCTION)}`;
  };
  const { ready, returnable } = choices;
  return [
    'Decide which task is done next.',
    ...(ready.length > 0 ? ['Tasks that can begin:', ...ready.map(line)] : ['No task is left to begin.']),
    ...(returnable.length > 0 ? ['Done tasks, to be named only if their result is not good enough:'] : []),
    ...returnable.map(line),
    `Name "${FINISH}" if nothing is left to do.`,
  ].join('\n');
}

/** What a manager is shown of the work that is done. */
export const managerBlocks = (outputs: Readonly<Record<string, unknown>>): Block[] =>
  Object.entries(outputs).map(([name, value]) => ({ name: `result of ${name}`, value }));
