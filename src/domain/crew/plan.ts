import type { CrewDefinition, CrewPlan, PlannedTask, TaskState } from '../../contracts/crew.js';

/** How each task of a run stands; a task that is not there is waiting. */
export type TaskStates = ReadonlyMap<string, TaskState>;

const ACTIVE: readonly TaskState[] = ['running', 'asking', 'waiting_approval', 'returned'];
const DONE: readonly TaskState[] = ['completed', 'reused', 'skipped'];
/** Those whose output is there. */
const WITH_OUTPUT: readonly TaskState[] = ['completed', 'reused'];

/** The plan of a crew. */
export const planOf = ({ process, tasks }: Pick<CrewDefinition, 'process' | 'tasks'>): CrewPlan => ({
  process,
  tasks: Object.entries(tasks).map(([id, { needs, on_failure: onFailure, approval, action }]) => ({
    ...{ id, needs: [...needs], onFailure },
    ...{ hasApproval: approval !== undefined, hasAction: action !== undefined },
  })),
});

const stateOf = (states: TaskStates, id: string): TaskState => states.get(id) ?? 'waiting';
const isActive = (states: TaskStates) => (task: PlannedTask) => ACTIVE.includes(stateOf(states, task.id));

/** Whether a task keeps those that need it waiting no longer: it is done, or failed and may be done without. */
const isSettled = (states: TaskStates, { id, onFailure }: PlannedTask): boolean => {
  const state = stateOf(states, id);
  return DONE.includes(state) || (state === 'failed' && onFailure === 'skip');
};

/** Whether a task ends the run: it failed and nothing is done without it, or it was cancelled. */
const isFatal = (states: TaskStates, { id, onFailure }: PlannedTask): boolean => {
  const state = stateOf(states, id);
  return state === 'cancelled' || (state === 'failed' && onFailure === 'fail');
};

/** Waiting tasks that have all that they need, in the order of the file. */
function unblocked({ tasks }: CrewPlan, states: TaskStates): string[] {
  const settled = new Set(tasks.filter((task) => isSettled(states, task)).map(({ id }) => id));
  return tasks
    .filter(({ id, needs }) => stateOf(states, id) === 'waiting' && needs.every((need) => settled.has(need)))
    .map(({ id }) => id);
}

/**
 * The tasks that can begin now, in the order of the file. Sequential: at most one, and none while one is at work.
 * Parallel: all that have what they need. Hierarchical: those among which the manager chooses, none while one is at work.
 * After a failure that ends the run there is none.
 */
export function readyTasks(plan: CrewPlan, states: TaskStates): string[] {
  if (plan.tasks.some((task) => isFatal(states, task))) return [];
  if (plan.process !== 'parallel' && plan.tasks.some(isActive(states))) return [];
  const ready = unblocked(plan, states);
  return plan.process === 'sequential' ? ready.slice(0, 1) : ready;
}

/** The tasks that need a task, directly or through others, in the order of the file; without the task itself. */
export function downstreamOf({ tasks }: Pick<CrewPlan, 'tasks'>, task: string): string[] {
  const after = new Map<string, string[]>();
  for (const { id, needs } of tasks) for (const need of needs) after.set(need, [...(after.get(need) ?? []), id]);
  const reached = new Set<string>();
  const next = [task];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    for (const id of after.get(at) ?? []) {
      if (reached.has(id)) continue;
      reached.add(id);
      next.push(id);
    }
  }
  reached.delete(task);
  return tasks.map(({ id }) => id).filter((id) => reached.has(id));
}

/** Whether nothing is at work and nothing can begin. */
export const isFinished = (plan: CrewPlan, states: TaskStates): boolean =>
  !plan.tasks.some(isActive(states)) && readyTasks(plan, states).length === 0;

/** How a run ended; undefined: it has not. Without the output of a single task it has failed. */
export function outcomeOf(plan: CrewPlan, states: TaskStates): 'completed' | 'failed' | 'cancelled' | undefined {
  if (!isFinished(plan, states)) return undefined;
  const { tasks } = plan;
  if (tasks.some(({ id }) => stateOf(states, id) === 'cancelled')) return 'cancelled';
  const hasOutput = tasks.some(({ id }) => WITH_OUTPUT.includes(stateOf(states, id)));
  return hasOutput && tasks.every((task) => isSettled(states, task)) ? 'completed' : 'failed';
}
