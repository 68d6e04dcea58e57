import { describe, expect, it } from '@jest/globals';
import { aCrew, aGather, aTaskDefinition } from '../test/factories/crew.js';
import { crewWarnings } from './crews.js';

const message = 'may be null: the task "plan" is skipped where it fails';
const crewOf = (policy: 'fail' | 'skip') =>
  aCrew({
    tasks: {
      plan: aTaskDefinition({ on_failure: policy }),
      planned: aTaskDefinition({
        needs: ['plan'],
        uses: ['inputs.plan', 'plan', 'gathered.plan.files'],
        gather: [aGather(), aGather({ as: 'plan', tool: 'fs_read', each: 'plan.files' })],
        checks: [
          { check: 'among', at: 'x', values: 'plan.parts[].id' },
          { check: 'among', at: 'x', values: ['inputs.ids', 'plan.ids'] },
          { check: 'covers', at: 'x', values: 'plan.ids' },
        ],
      }),
    },
    result: { own: 'planned.text', text: 'plan.text' },
  });

describe(crewWarnings.name, () => {
  it('should tell each place where the output of a task that may be skipped is worked with', () => {
    expect(crewWarnings(crewOf('skip'))).toEqual(
      [
        'tasks.planned.uses[1]',
        'tasks.planned.gather[1].each',
        'tasks.planned.checks[0].values',
        'tasks.planned.checks[1].values[1]',
        'tasks.planned.checks[2].values',
        'result.text',
      ].map((path) => ({ path, message })),
    );
  });

  it('should tell nothing of a task without which the run ends', () => {
    expect(crewWarnings(crewOf('fail'))).toEqual([]);
  });
});
