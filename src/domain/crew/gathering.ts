import type { StepView } from '../../contracts/crew-run.js';
import type { GatherDefinition } from '../../contracts/crew.js';
import type { Orders } from './orders.js';
import { gatherCalls } from './gather.js';
import type { Scope } from './references.js';
import type { CrewRun } from './run-state.js';

/** What a task has read before its agent begins. */
export type Gathered = { kind: 'working' } | FailedGathering | { kind: 'done'; gathered: Record<string, unknown> };

interface FailedGathering {
  kind: 'failed';
  problem: string;
  /** Whether a further attempt would go no better. */
  final: boolean;
}

/** With these no further attempt would go better. */
const FINAL_CODES = [
  ...['RBAC_PERMISSION_DENIED', 'PATH_DENIED', 'TOOL_MISSING'],
  ...['FILE_NOT_FOUND', 'NOT_A_FILE', 'NOT_A_FOLDER', 'NOT_A_REPOSITORY'],
];

/** Whose reading it is. */
export interface GatheringPlace {
  /** Beginning of the keys of its steps. */
  prefix: string;
  task: string;
  agent: string;
}

/** One use of a tool, with the key of its step. */
interface Reading {
  key: string;
  params: Record<string, unknown>;
}

/** Reads what a task gathers, one definition after the other; the items of one beside each other. */
export function gather(
  run: CrewRun,
  orders: Orders,
  definitions: readonly GatherDefinition[],
  scope: Omit<Scope, 'gathered'>,
  place: GatheringPlace,
): Gathered {
  const gathered: Record<string, unknown> = {};
  const refused = new Map<string, FailedGathering>();
  for (const [index, definition] of definitions.entries()) {
    const readings = readingsOf(definition, { ...scope, gathered }, `${place.prefix}.g${index + 1}`);
    const steps = readings.map((reading) => stepOf(run, orders, definition, reading, place));
    if (steps.some((step) => step?.state !== 'done' && step?.state !== 'failed')) return { kind: 'working' };
    const ended = steps.filter((step) => step !== undefined);
    const failed = ended.find(({ state }) => state === 'failed');
    if (failed) {
      const failure = failureOf(definition, failed);
      if (!definition.optional && definition.one_of === undefined) return failure;
      refused.set(definition.as, failure);
    }
    gathered[definition.as] = valueOf(definition, ended);
  }
  return noneOf(definitions, gathered, refused) ?? { kind: 'done', gathered };
}

/** Why the task fails where none of those gave anything of which one must. */
function noneOf(
  definitions: readonly GatherDefinition[],
  gathered: Readonly<Record<string, unknown>>,
  refused: ReadonlyMap<string, FailedGathering>,
): FailedGathering | undefined {
  for (const [name, several] of Map.groupBy(definitions, ({ one_of }) => one_of)) {
    if (name === undefined || several.some(({ as }) => gaveSomething(gathered[as]))) continue;
    return {
      kind: 'failed',
      problem: several.map(({ as }) => refused.get(as)?.problem ?? `${as} gave nothing`).join('; '),
      final: several.every(({ as }) => refused.get(as)?.final),
    };
  }
  return undefined;
}

const gaveSomething = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

function readingsOf(definition: GatherDefinition, scope: Scope, key: string): Reading[] {
  const calls = gatherCalls(definition, scope);
  if (definition.each === undefined) return calls.map((params) => ({ key, params }));
  return calls.map((params, index) => ({ key: `${key}.${index + 1}`, params }));
}

function stepOf(
  run: CrewRun,
  orders: Orders,
  { tool, as }: GatherDefinition,
  { key, params }: Reading,
  { task, agent }: GatheringPlace,
): StepView | undefined {
  const step = run.steps.get(key);
  if (!step) orders.step({ kind: 'tool', key, task, agent, label: `${task}: ${as} by ${tool}`, tool, params });
  return step;
}

function failureOf({ as, tool }: GatherDefinition, { failure }: StepView): FailedGathering {
  const { code = 'INTERNAL', reason = '' } = failure ?? {};
  return {
    kind: 'failed',
    problem: `${as} could not be read with ${tool} (${code}): ${reason.replace(/\.$/, '')}`,
    final: FINAL_CODES.includes(code),
  };
}

const valueOf = ({ each }: GatherDefinition, steps: readonly StepView[]): unknown => {
  const results = steps.filter(({ state }) => state === 'done').map(({ result }) => result);
  return each === undefined ? results[0] : results;
};
