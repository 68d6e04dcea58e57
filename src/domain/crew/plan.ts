import type {
  AgentLimits,
  CrewPlan,
  CrewVersion,
  PlannedTask,
  RunState,
  TaskDefinition,
  TaskState,
} from '../../contracts/crew.js';
import { ownValue } from './values.js';

/** How each task of a run stands; a task that is not there is waiting. */
export type TaskStates = ReadonlyMap<string, TaskState>;

type Plan = Pick<CrewPlan, 'process' | 'tasks'>;

const ACTIVE: readonly TaskState[] = ['running', 'asking', 'waiting_approval', 'returned'];
const DONE: readonly TaskState[] = ['completed', 'reused', 'skipped'];
/** Those whose output is there. */
const WITH_OUTPUT: readonly TaskState[] = ['completed', 'reused'];

function plannedTask(id: string, task: TaskDefinition, limits: AgentLimits | undefined): PlannedTask {
  const { agent, needs, repairs, retries, on_failure, approval, action } = task;
  return {
    ...{ id, agent, needs: [...needs], turns: limits?.turns ?? 0, toolCalls: limits?.tool_calls ?? 0 },
    ...{ repairs, retries, onFailure: on_failure, hasAction: action !== undefined },
    ...(approval && {
      approval: { remind_after_s: approval.remind_after_s, expires_after_s: approval.expires_after_s },
    }),
  };
}

/** What the workflow needs of a crew: ids and numbers, with the tasks in the order of the file. */
export function planOf({ crew, version, definition }: CrewVersion): CrewPlan {
  const { process, manager, agents, budget } = definition;
  const tasks = Object.entries(definition.tasks).map(([id, task]) =>
    plannedTask(id, task, ownValue(agents, task.agent)?.limits),
  );
  return { crew, version, process, ...(manager !== undefined && { manager }), tasks, budget: { ...budget } };
}

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
function unblocked({ tasks }: Plan, states: TaskStates): string[] {
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
export function readyTasks(plan: Plan, states: TaskStates): string[] {
  if (plan.tasks.some((task) => isFatal(states, task))) return [];
  if (plan.process !== 'parallel' && plan.tasks.some(isActive(states))) return [];
  const ready = unblocked(plan, states);
  return plan.process === 'sequential' ? ready.slice(0, 1) : ready;
}

/** The tasks that need a task, directly or through others, in the order of the file; without the task itself. */
export function downstreamOf({ tasks }: Pick<Plan, 'tasks'>, task: string): string[] {
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

/**
 * The tasks whose outputs a further run takes over, in the order of the file: those with an output that depend on nothing
 * that is done again. Done again are tasks without an output and, where it is named, `from`.
 */
export function tasksToReuse(plan: Pick<Plan, 'tasks'>, states: TaskStates, from?: string): string[] {
  const again = plan.tasks
    .map(({ id }) => id)
    .filter((id) => id === from || !WITH_OUTPUT.includes(stateOf(states, id)));
  const touched = new Set(again.flatMap((id) => [id, ...downstreamOf(plan, id)]));
  return plan.tasks.map(({ id }) => id).filter((id) => !touched.has(id));
}

/** Whether nothing is at work and nothing can begin. */
export const isFinished = (plan: Plan, states: TaskStates): boolean =>
  !plan.tasks.some(isActive(states)) && readyTasks(plan, states).length === 0;

/** How a run ended; undefined: it has not. Without the output of a single task it has failed. */
export function outcomeOf(plan: Plan, states: TaskStates): 'completed' | 'failed' | 'cancelled' | undefined {
  if (!isFinished(plan, states)) return undefined;
  const { tasks } = plan;
  if (tasks.some(({ id }) => stateOf(states, id) === 'cancelled')) return 'cancelled';
  const hasOutput = tasks.some(({ id }) => WITH_OUTPUT.includes(stateOf(states, id)));
  return hasOutput && tasks.every((task) => isSettled(states, task)) ? 'completed' : 'failed';
}

/** How a run stands. `paused`: it waits at a limit. It waits for people only where nothing else is at work. */
export function runStateOf(plan: Plan, states: TaskStates, { paused }: { paused: boolean }): RunState {
  const outcome = outcomeOf(plan, states);
  if (outcome !== undefined || paused) return outcome ?? 'paused';
  const has = (...wanted: TaskState[]): boolean => plan.tasks.some(({ id }) => wanted.includes(stateOf(states, id)));
  if (has('running', 'returned') || readyTasks(plan, states).length > 0) return 'running';
  return has('waiting_approval') ? 'waiting_approval' : 'waiting_answer';
}
