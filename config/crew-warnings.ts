import type { CheckDefinition, CrewDefinition, Reference, TaskDefinition } from '../src/contracts/crew.js';
import { Complaints, type Path, type Problem } from './complaints.js';
import { quoted } from './nearest.js';

type Placed = readonly [reference: Reference, path: Path];

const NOWHERE = { file: '', line: 0, column: 0 };

function valuesOf(check: CheckDefinition, path: Path): Placed[] {
  if (check.check !== 'among' && check.check !== 'covers') return [];
  const { values } = check;
  if (typeof values === 'string') return [[values, path]];
  return values.map((one, index) => [one, [...path, index]]);
}

/** The references of a task whose value it works with as it is. */
function referencesOf({ uses, gather, checks }: TaskDefinition, path: Path): Placed[] {
  return [
    ...uses.map((one, index): Placed => [one, [...path, 'uses', index]]),
    ...gather.flatMap(({ each }, index): Placed[] =>
      each === undefined ? [] : [[each, [...path, 'gather', index, 'each']]],
    ),
    ...checks.flatMap((check, index) => valuesOf(check, [...path, 'checks', index, 'values'])),
  ];
}

/**
 * What is no mistake in a crew, and has to be known: values of tasks that may be skipped, as they are null then.
 * @returns paths such as `tasks.judge.uses[0]`, in the order of the definition
 */
export function crewWarnings({ tasks, result }: CrewDefinition): Problem[] {
  const warnings = new Complaints();
  const all = [
    ...Object.entries(tasks).flatMap(([id, task]) => referencesOf(task, ['tasks', id])),
    ...Object.entries(result).map(([name, reference]): Placed => [reference, ['result', name]]),
  ];
  for (const [reference, path] of all) {
    const [first = ''] = reference.split('.');
    if (!Object.hasOwn(tasks, first) || tasks[first]?.on_failure !== 'skip') continue;
    warnings.add(NOWHERE, path, `may be null: the task ${quoted(first)} is skipped where it fails`);
  }
  return warnings.problems();
}
