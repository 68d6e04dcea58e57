import type { CheckDefinition, TaskDefinition } from '../../contracts/crew.js';
import { problemsOf, type CheckScope } from './checks.js';

const refersToGathered = (definition: CheckDefinition): boolean =>
  'values' in definition && [definition.values].flat().some((reference) => /^gathered\b/.test(reference));

/**
 * What an output lacks that somebody has changed by hand. It is checked as an agent's is, but for what was gathered: a
 * person may know better than that.
 */
export const editProblems = (
  { checks }: Pick<TaskDefinition, 'checks'>,
  output: Record<string, unknown>,
  scope: Omit<CheckScope, 'gathered'>,
): string[] =>
  problemsOf(
    checks.filter((one) => !refersToGathered(one)),
    output,
    { ...scope, gathered: {} },
  );
