import type { CrewDefinition } from '../../contracts/crew.js';
import type { TaskProgress } from '../../contracts/crew-run.js';
import { AppError } from '../../errors/app-error.js';
import { downstreamOf, planOf } from './plan.js';
import { canonical, ownValue } from './values.js';

/** An earlier run, as far as another one goes on from it. */
export interface EarlierRun {
  runId: string;
  crew: string;
  hash: string;
  inputs: Readonly<Record<string, unknown>>;
  tasks: Readonly<Record<string, Pick<TaskProgress, 'state' | 'output'>>>;
}

/** @throws AppError `DECISION_INVALID` where the crew says something else by now */
export function requireSameCrew(earlier: EarlierRun, { crew, hash }: Pick<EarlierRun, 'crew' | 'hash'>): void {
  if (earlier.crew === crew && earlier.hash === hash) return;
  throw new AppError('DECISION_INVALID', 'The crew has changed since that run: start it anew.', {
    reason: 'the crew has changed',
  });
}

/**
 * Outputs that a further run takes over, by their tasks: those whose inputs are the same, that are not to be done again,
 * and that need nothing that is. What people approved is asked again, and what they gave a role for.
 * @param from the task from which all is done again; undefined: only what has no output
 * @throws AppError `DECISION_INVALID` where the crew has no such task
 */
export function reusedOutputs(
  definition: CrewDefinition,
  { inputs: before, tasks }: Pick<EarlierRun, 'inputs' | 'tasks'>,
  { inputs, from }: { inputs: Readonly<Record<string, unknown>>; from: string | undefined },
): Record<string, unknown> {
  if (from !== undefined && !Object.hasOwn(definition.tasks, from)) {
    const names = Object.keys(definition.tasks).join(', ');
    throw new AppError('DECISION_INVALID', `The crew has no task of the name that from gives; there is ${names}.`);
  }
  const plan = planOf(definition);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(inputs)])].filter(
    (name) => canonical(ownValue(before, name) ?? null) !== canonical(ownValue(inputs, name) ?? null),
  );
  const again = Object.keys(definition.tasks).filter(
    (id) => id === from || hasNoOutput(ownValue(tasks, id)) || touches(definition, id, changed),
  );
  const touched = new Set(again.flatMap((id) => [id, ...downstreamOf(plan, id)]));
  const kept = Object.keys(definition.tasks).filter((id) => !touched.has(id));
  return Object.fromEntries(kept.map((id) => [id, ownValue(tasks, id)?.output ?? null]));
}

const hasNoOutput = (task: Pick<TaskProgress, 'state' | 'output'> | undefined): boolean =>
  !task?.output || !['completed', 'reused'].includes(task.state);

/** Whether a task looks at an input that is another, or its output is given by the leave of people. */
function touches({ tasks }: CrewDefinition, id: string, changed: readonly string[]): boolean {
  const task = ownValue(tasks, id);
  if (!task) return true;
  if (task.approval || task.action) return true;
  const looked = JSON.stringify([task.uses, task.gather, task.checks]);
  return (
    changed.some((name) => looked.includes(`inputs.${name}`)) || (changed.length > 0 && looked.includes('"inputs"'))
  );
}
