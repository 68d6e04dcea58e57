/** What each task needs, by task; those that are not there are left out. */
type Needs = Readonly<Record<string, { needs: readonly string[] }>>;

const needsOf = (tasks: Needs, task: string): readonly string[] =>
  (Object.hasOwn(tasks, task) ? tasks[task]?.needs : undefined) ?? [];

/** All that a task needs, and what that needs in turn; without itself unless it needs itself. */
export function allNeedsOf(tasks: Needs, task: string): Set<string> {
  const found = new Set<string>();
  const open = [...needsOf(tasks, task)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...needsOf(tasks, next));
  }
  return found;
}

/** A circle of tasks that need each other, the first one again at the end; undefined: there is none. */
export function circleOf(tasks: Needs): string[] | undefined {
  const first = Object.keys(tasks).find((task) => allNeedsOf(tasks, task).has(task));
  if (first === undefined) return undefined;
  const circle = [first];
  let next = first;
  do {
    const last = next;
    next =
      needsOf(tasks, last).find(
        (need) => need === first || (allNeedsOf(tasks, need).has(first) && !circle.includes(need)),
      ) ?? first;
    circle.push(next);
  } while (next !== first);
  return circle;
}
