import type { Spending, TaskState } from '../../contracts/crew.js';
import { canonical, isObject, ownValue } from './values.js';

/** A task of a run, to be compared with the same of another run. */
export interface ComparedTask {
  id: string;
  state: TaskState;
  /** Undefined: it gave none. */
  output?: unknown;
  spending: Spending;
}

/** What differs between two runs in a task. */
export interface TaskDifference {
  task: string;
  outcome: 'same' | 'changed' | 'only_first' | 'only_second';
  states: [TaskState | null, TaskState | null];
  /** Paths of what changed in the output: `subtasks[2].hours`; at most 50. */
  changed: string[];
  /** Whether more changed than is told. */
  truncated: boolean;
  /** Of the first and of the second run. */
  tokens: [number, number];
  cost_usd: [number, number];
  ms: [number, number];
}

const MOST_PATHS = 50;
const MOST_DEPTH = 16;

/** The parts of two values that are objects or lists both, under all names that either has. */
function partsOf(a: unknown, b: unknown): [string, unknown, unknown][] | undefined {
  if (Array.isArray(a) && Array.isArray(b)) {
    const longer: unknown[] = a.length > b.length ? a : b;
    return longer.map((_, index) => [`[${index}]`, (a as unknown[])[index], (b as unknown[])[index]]);
  }
  if (!isObject(a) || !isObject(b)) return undefined;
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.map((name) => [`.${name}`, ownValue(a, name), ownValue(b, name)]);
}

const isSame = (a: unknown, b: unknown): boolean =>
  (a === undefined) === (b === undefined) && canonical(a) === canonical(b);

function collect(a: unknown, b: unknown, path: string, depth: number, found: string[]): void {
  if (found.length > MOST_PATHS || isSame(a, b)) return;
  const parts = depth < MOST_DEPTH ? partsOf(a, b) : undefined;
  if (!parts) found.push(path.replace(/^\./, ''));
  else for (const [name, one, other] of parts) collect(one, other, `${path}${name}`, depth + 1, found);
}

/** Paths under which two values differ, the empty one being the values themselves. */
export function changedPaths(a: unknown, b: unknown): { paths: string[]; truncated: boolean } {
  const found: string[] = [];
  collect(a, b, '', 0, found);
  return { paths: found.slice(0, MOST_PATHS), truncated: found.length > MOST_PATHS };
}

function outcomeOf(
  a: ComparedTask | undefined,
  b: ComparedTask | undefined,
  isChanged: boolean,
): TaskDifference['outcome'] {
  if (!a) return 'only_second';
  if (!b) return 'only_first';
  return isChanged ? 'changed' : 'same';
}

function difference(task: string, a: ComparedTask | undefined, b: ComparedTask | undefined): TaskDifference {
  const { paths, truncated } = a && b ? changedPaths(a.output, b.output) : { paths: [], truncated: false };
  const both = <Value>(read: (one: ComparedTask) => Value, none: Value): [Value, Value] => [
    a ? read(a) : none,
    b ? read(b) : none,
  ];
  return {
    task,
    outcome: outcomeOf(a, b, paths.length > 0),
    states: both<TaskState | null>(({ state }) => state, null),
    changed: paths,
    truncated,
    tokens: both(({ spending }) => spending.usage.total_tokens, 0),
    cost_usd: both(({ spending }) => spending.usage.cost_usd ?? 0, 0),
    ms: both(({ spending }) => spending.ms, 0),
  };
}

/** Two runs task by task: in the order of the first one, then what only the second one has. */
export function compareRuns(first: readonly ComparedTask[], second: readonly ComparedTask[]): TaskDifference[] {
  const [one, other] = [first, second].map((tasks) => new Map(tasks.map((task) => [task.id, task])));
  const ids = new Set([...first, ...second].map(({ id }) => id));
  return [...ids].map((id) => difference(id, one?.get(id), other?.get(id)));
}
