import type { CrewData, CrewDefinition } from '../../contracts/crew.js';
import { resolveReference } from './references.js';
import { ownValue } from './values.js';

/** What a run gave, and the names of the result that lead to nothing. */
export interface CrewOutcome {
  data: CrewData;
  missing: string[];
}

/**
 * The result of a run by its crew's definition. What a reference does not lead to is null and told as missing. An
 * agent's output is that of its last task in the order of the file that has one.
 * @param outputs by task
 */
export function crewOutcome(
  { result, agents, tasks }: Pick<CrewDefinition, 'result' | 'agents' | 'tasks'>,
  outputs: Readonly<Record<string, unknown>>,
): CrewOutcome {
  const scope = { inputs: {}, gathered: {}, outputs };
  const found = Object.entries(result).map(([name, ref]) => [name, resolveReference(ref, scope)] as const);
  const last = new Map(
    Object.entries(tasks).flatMap(([id, { agent }]) => {
      const output = ownValue(outputs, id);
      return output === undefined || !Object.hasOwn(agents, agent) ? [] : [[agent, output] as const];
    }),
  );
  return {
    data: {
      result: Object.fromEntries(found.map(([name, value]) => [name, value ?? null])),
      agents: Object.fromEntries(last),
    },
    missing: found.filter(([, value]) => value === undefined).map(([name]) => name),
  };
}
