import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCrew, aGather, anAgent, aTaskDefinition } from '../../../test/factories/crew.js';
import { aCall, aRoute, PlayedRun, type Outcome, type Script } from '../../../test/factories/crew-runs.js';
import {
  PROCESSES,
  type CrewDefinition,
  type GateKind,
  type GateState,
  type TaskDefinition,
} from '../../contracts/crew.js';

const TOOLS = ['fs_read', 'fs_write', 'ask_member'] as const;
const APPROVAL = { ask: 'Well?', roles: ['admin'], count: 1, remind_after_s: 60, expires_after_s: 120, self: true };

/** What a model may come to. */
const TURNS: readonly Outcome[] = [
  { says: { text: 'well' } },
  { says: { text: 'well' } },
  { says: { next: 'b', note: 'mind' } },
  { says: { next: 'a', note: '' } },
  { says: 'words' },
  { says: '{"text": "we', isCut: true },
  { calls: [aCall('fs_read', { path: 'a' }), aCall('fs_read', { path: 'b' })] },
  { calls: [aCall('fs_write', { path: 'a', content: '' })] },
  { calls: [aCall('ask_member', { question: 'Which?' }), aCall('fs_read', { path: 'b' }, 'call_2')] },
  { calls: [aCall('rm', '{{{', '')] },
  { fails: 'QUEUE_FULL' },
  { fails: 'MODEL_NOT_FOUND' },
];
const USES: readonly Outcome[] = [
  { gives: { entries: ['x', 'y'] } },
  { gives: null },
  { fails: 'TOOL_TIMEOUT' },
  { fails: 'PATH_DENIED' },
];

const DECISIONS: Readonly<Record<GateKind, readonly GateState[]>> = {
  approval: ['approved', 'approved', 'returned', 'rejected', 'expired'],
  question: ['answered', 'expired'],
  limit: ['continued', 'rejected', 'expired'],
};
/** More than so often nobody lets a run go on. */
const MOST_CONTINUED = 3;

const IDS = ['a', 'b', 'c', 'd', 'e'];

const task = (index: number): fc.Arbitrary<TaskDefinition> =>
  fc
    .record({
      needs: fc.subarray(IDS.slice(0, index)),
      tools: fc.constantFrom([], TOOLS),
      repairs: fc.nat(2),
      retries: fc.nat(2),
      max_returns: fc.nat(2),
      on_failure: fc.constantFrom('fail' as const, 'skip' as const, 'skip' as const),
      gather: fc.constantFrom(
        [],
        [
          aGather({ as: 'list', tool: 'fs_list' }),
          aGather({ as: 'all', tool: 'fs_read', each: 'gathered.list.entries', optional: true }),
        ],
      ),
      isApproved: fc.boolean(),
    })
    .map(({ isApproved, ...changes }) =>
      aTaskDefinition({ ...changes, tool_approval: APPROVAL, ...(isApproved && { approval: APPROVAL }) }),
    );

const crew: fc.Arbitrary<CrewDefinition> = fc
  .record({
    process: fc.constantFrom(...PROCESSES),
    tasks: fc
      .integer({ min: 1, max: IDS.length })
      .chain((count) => fc.tuple(...IDS.slice(0, count).map((_, n) => task(n)))),
    turns: fc.integer({ min: 1, max: 4 }),
    tool_calls: fc.integer({ min: 1, max: 3 }),
    tokens: fc.constantFrom(undefined, 150, 2_500),
    time_s: fc.constantFrom(undefined, 1),
  })
  .map(({ process, tasks, turns, tool_calls, tokens, time_s }) =>
    aCrew({
      ...{ process, manager: 'boss', max_handoffs: 8 },
      agents: { planner: anAgent({ tools: TOOLS, limits: { turns, tool_calls, max_tokens: 100 } }), boss: anAgent() },
      tasks: Object.fromEntries(tasks.map((one, index): [string, TaskDefinition] => [IDS[index] ?? '', one])),
      budget: { ...(tokens !== undefined && { tokens }), ...(time_s !== undefined && { time_s }) },
    }),
  );

/** Chances in their order, again and again. */
function dice(chances: readonly number[]): (sides: number) => number {
  let at = 0;
  return (sides) => (chances[at++ % chances.length] ?? 0) % sides;
}

/** Plays a run in which anything may happen, in any order. @returns how many things happened */
function playAtRandom(run: PlayedRun, throwDice: (sides: number) => number): number {
  let happened = 0;
  let continued = 0;
  for (run.look(); !run.final; run.look()) {
    happened += 1;
    const steps = run.open;
    const gates = run.waitsFor;
    const at = throwDice(steps.length + gates.length + (run.lookAt ? 1 : 0));
    const gate = run.gates.get(gates[at - steps.length] ?? '');
    if (at < steps.length) run.end(steps[at]!);
    else if (!gate) run.now = run.lookAt!;
    else {
      const choices = DECISIONS[gate.kind];
      const state: GateState = choices[throwDice(choices.length)]!;
      if (state === 'continued') continued += 1;
      run.decide(gate.id, continued > MOST_CONTINUED ? 'rejected' : state, { comment: 'so' });
    }
  }
  return happened;
}

describe('runs of crews', () => {
  const chances = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 });
  const ways = fc.constantFrom([], ['json_schema' as const], ['tools' as const]);

  // The run that is played sees to it: nothing twice, nothing before its needs, nothing new without news.
  it('should always end, whatever comes of their steps, in whatever order', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(crew, chances, ways, (definition, numbers, capabilities) => {
        const throwDice = dice(numbers);
        const script: Script = ({ kind }) => {
          const outcomes = kind === 'model' ? TURNS : USES;
          return outcomes[throwDice(outcomes.length)];
        };
        const run = new PlayedRun({ definition, script, kit: { routeOf: () => aRoute({ capabilities }) } });
        expect(playAtRandom(run, throwDice)).toBeLessThan(1_500);
        expect(new Set(run.keys).size).toBe(run.keys.length);
        const { final } = run;
        seen.add(final?.status === 'failed' ? final.code : 'completed');
        const left = Object.values(run.states).filter((state) => ['running', 'asking', 'returned'].includes(state));
        expect(final?.status === 'completed' ? left : []).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect([...seen].sort()).toEqual(['CREW_FAILED', 'CREW_REJECTED', 'CREW_STOPPED', 'completed']);
  });

  it('should come to the same where the same comes of their steps, in whatever order they end', () => {
    const script: Script = ({ key, kind }) =>
      kind === 'tool' ? { gives: { entries: [key] } } : { says: { text: key } };
    const free = crew.map((one) => ({ ...one, process: 'parallel' as const, budget: {} }));
    fc.assert(
      fc.property(free, chances, (definition, numbers) => {
        const tasks = Object.fromEntries(
          Object.entries(definition.tasks).map(([id, { approval: _, ...rest }]) => [id, rest]),
        );
        const scene = { definition: { ...definition, tasks }, script };
        const run = new PlayedRun(scene);
        playAtRandom(run, dice(numbers));
        const other = new PlayedRun(scene).play();
        expect(run.final).toEqual(other.final);
        expect(run.keys.toSorted()).toEqual(other.keys.toSorted());
      }),
      { numRuns: 100 },
    );
  });
});
