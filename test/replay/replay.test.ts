import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { WORKFLOWS } from '../../src/contracts/ids.js';
import * as workflows from '../../workflows/index.js';
import { workflowBundle } from '../support/temporal.js';
import {
  activitiesOf,
  readHistory,
  readText,
  releases,
  shapesOf,
  workflowOf,
  type RecordedHistory,
} from './histories.js';
import { SHAPES } from './shapes.js';

jest.setTimeout(60_000);

/**
 * What was recorded for each release. A replay that fails means that what is under way would break: mend the workflow
 * (with `patched`), never the history.
 */
const RECORDED: Record<string, string[]> = {
  '0.4.0': [
    'all-failed',
    'answer-at-once',
    'audit-heads-cancelled',
    'audit-heads-failed',
    'audit-heads-one-page',
    'audit-heads-several-pages',
    'cache-hit',
    'cache-miss',
    'cancelled',
    'cancelled-in-pause',
    'crew-beside-each-other',
    'crew-cancelled',
    'crew-cancelled-at-work',
    'crew-completed',
    'crew-dao-tool',
    'crew-failed',
    'crew-looks-again',
    'crew-poked',
    'crew-step-again',
    'crew-step-failed',
    'crew-told-by-turns',
    'crew-tool',
    'crew-waits-for-approval',
    'deadline',
    'dialog-act-says',
    'dialog-act-wakes-turn',
    'dialog-answered',
    'dialog-due-later',
    'dialog-refused',
    'dialog-remembers',
    'dialog-several',
    'dialog-store-away',
    'fallback',
    'known-after-exhausted-chain',
    'local-shape',
    'news-in-pages',
    'news-later',
    'news-told',
    'nothing-known',
    'proposal-begins-anew',
    'proposal-cancelled',
    'proposal-executed',
    'proposal-gone',
    'proposal-late-poke',
    'proposal-poked-in-vain',
    'proposal-poked-meanwhile',
    'proposal-refused',
    'proposal-rejected',
    'proposal-store-away',
    'proposal-vetoed',
    'proposal-withdrawn',
    'provider-skipped',
    'queue-refused-fallback',
    'queue-shape',
    'queue-timeout-fallback',
    'retry-then-answer',
    'store-away',
    'superseded',
    'tool-cancelled',
    'tool-done',
    'tool-made-again',
    'tool-refused',
    'tool-superseded',
    'tool-without-worker',
  ],
};
const ALL = Object.entries(RECORDED).flatMap(([release, shapes]) =>
  shapes.map((shape): [string, string] => [release, shape]),
);

let bundle: WorkflowBundle;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await workflowBundle();
});

const replay = (history: unknown): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle: bundle }, history, 'replayed');

describe('recorded histories', () => {
  it('should all be there, and no other', () => {
    expect(Object.fromEntries(releases().map((release) => [release, shapesOf(release)]))).toEqual(RECORDED);
  });

  it('should cover every shape', () => {
    expect([...new Set(ALL.map(([, shape]) => shape))].sort()).toEqual(Object.keys(SHAPES).sort());
  });

  it('should cover every workflow that is registered', () => {
    const recorded = ALL.map(([release, shape]) => workflowOf(readHistory(release, shape)));
    expect([...new Set(recorded)].sort()).toEqual(Object.keys(workflows).sort());
  });

  it.each(ALL)('should not be trivial: %s %s', (release, shape) => {
    const history = readHistory(release, shape);
    const { workflow, activities, closes, events } = SHAPES[shape]!;
    expect(workflowOf(history)).toBe(WORKFLOWS[workflow]);
    expect(history.events.length).toBeGreaterThanOrEqual(events);
    expect(activitiesOf(history)).toEqual(activities);
    expect(history.events.at(-1)?.eventType).toBe(`EVENT_TYPE_WORKFLOW_EXECUTION_${closes}`);
  });

  it.each(ALL)('should name nothing of the machine: %s %s', (release, shape) => {
    const text = readText(release, shape);
    expect(text).not.toMatch(/"stackTrace"|\/(work|home|root|tmp|Users)\//);
    const identities = [...text.matchAll(/"identity": "([^"]*)"/g)].map(([, identity]) => identity);
    expect(new Set(identities)).toEqual(new Set(['dagi-test']));
  });
});

describe('replay', () => {
  it.each(ALL)('should go the recorded way: %s %s', async (release, shape) => {
    await expect(replay(readHistory(release, shape))).resolves.toBeUndefined();
  });

  /** A history as a differently written workflow would have left it. */
  const alter = (history: RecordedHistory, change: (history: RecordedHistory) => void): RecordedHistory => {
    const altered = structuredClone(history);
    change(altered);
    return altered;
  };

  it('should notice another activity', async () => {
    const altered = alter(readHistory('0.4.0', 'answer-at-once'), ({ events }) => {
      for (const { activityTaskScheduledEventAttributes: scheduled } of events) {
        if (scheduled) scheduled.activityType.name = 'somethingElse';
      }
    });
    await expect(replay(altered)).rejects.toThrow(DeterminismViolationError);
  });

  it('should notice a pause that is not taken any more', async () => {
    const altered = alter(readHistory('0.4.0', 'fallback'), ({ events }) => {
      const second = events.filter(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)[1]!;
      delete second.activityTaskScheduledEventAttributes;
      Object.assign(second, {
        eventType: 'EVENT_TYPE_TIMER_STARTED',
        timerStartedEventAttributes: { timerId: '1', startToFireTimeout: '1s' },
      });
    });
    await expect(replay(altered)).rejects.toThrow(DeterminismViolationError);
  });
});
