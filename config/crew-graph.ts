/** What each task needs, by task; those that are not there are left out. */
type Needs = Readonly<Record<string, { needs: readonly string[] }>>;

const needsOf = (tasks: Needs, task: string): readonly string[] =>
  (Object.hasOwn(tasks, task) ? tasks[task]?.needs : undefined) ?? [];

/** All that a task needs, each with the task that needs it, nearest first. */
function reachedFrom(tasks: Needs, task: string): Map<string, string> {
  const by = new Map<string, string>();
  const open = [task];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    for (const need of needsOf(tasks, next)) {
      if (by.has(need)) continue;
      by.set(need, next);
      open.push(need);
    }
  }
  return by;
}

/** All that a task needs, and what that needs in turn; without itself unless it needs itself. */
export const allNeedsOf = (tasks: Needs, task: string): Set<string> => new Set(reachedFrom(tasks, task).keys());

/** The shortest circle through the first task that is on one, that task again at the end; undefined: there is none. */
export function circleOf(tasks: Needs): string[] | undefined {
  for (const first of Object.keys(tasks)) {
    const by = reachedFrom(tasks, first);
    if (!by.has(first)) continue;
    const circle = [first];
    for (let last = by.get(first); last !== undefined && last !== first; last = by.get(last)) circle.unshift(last);
    return [first, ...circle];
  }
  return undefined;
}
