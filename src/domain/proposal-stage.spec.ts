import { describe, expect, it } from '@jest/globals';
import { STAGES, type Stage } from '../contracts/proposal.js';
import {
  admitsBallots,
  dueAt,
  hoursAfter,
  isFinalStage,
  mayBecome,
  mayBeVetoed,
  remainingMs,
  whatIsDue,
  type Standing,
} from './proposal-stage.js';

const AT = new Date('2026-11-28T12:00:00.000Z');
const later = (ms: number): Date => new Date(AT.getTime() + ms);
const standing = (stage: Stage): Standing => ({ stage, closesAt: AT, executeAt: AT });

describe('stages', () => {
  it('should lead from a draft to an end, and from no end anywhere', () => {
    const reached = new Set<Stage>(['draft']);
    for (const from of reached) STAGES.filter((to) => mayBecome(from, to)).forEach((to) => reached.add(to));
    expect([...reached].toSorted()).toEqual([...STAGES].toSorted());
    const final = STAGES.filter(isFinalStage);
    expect(final).toEqual(['rejected', 'expired', 'executed', 'vetoed', 'failed', 'withdrawn']);
    expect(final.filter((from) => STAGES.some((to) => mayBecome(from, to)))).toEqual([]);
  });

  it('should name a moment only where a clock does something', () => {
    for (const stage of STAGES) expect(dueAt(standing(stage))).toEqual(['open', 'passed'].includes(stage) ? AT : null);
  });

  it('should admit a ballot before the closing time, and close from then on', () => {
    const open = standing('open');
    expect([admitsBallots(open, later(-1)), whatIsDue(open, later(-1))]).toEqual([true, undefined]);
    expect([admitsBallots(open, AT), whatIsDue(open, AT)]).toEqual([false, 'close']);
    expect([admitsBallots(open, later(1)), whatIsDue(open, later(1))]).toEqual([false, 'close']);
    for (const stage of STAGES.filter((one) => one !== 'open')) {
      expect(admitsBallots(standing(stage), later(-1))).toBe(false);
    }
  });

  it('should let what has passed be vetoed before the moment of execution, and execute it from then on', () => {
    const passed = standing('passed');
    expect([mayBeVetoed(passed, later(-1)), whatIsDue(passed, later(-1))]).toEqual([true, undefined]);
    expect([mayBeVetoed(passed, AT), whatIsDue(passed, AT)]).toEqual([false, 'execute']);
    for (const stage of STAGES.filter((one) => one !== 'passed')) {
      expect(mayBeVetoed(standing(stage), later(-1))).toBe(false);
    }
  });

  it('should tell how long to wait, and never so little that it makes a loop', () => {
    const waits = [-60_000, -1, 0, 1, 999, 1_001, 90_000].map((ms) => remainingMs(standing('open'), later(-ms)));
    expect(waits).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_001, 90_000]);
    expect(remainingMs(standing('draft'), AT)).toBeNull();
  });

  it('should count hours to the millisecond', () => {
    expect(hoursAfter(AT, 1.5)).toEqual(later(5_400_000));
    expect(hoursAfter(AT, 1 / 3_600)).toEqual(later(1_000));
    expect(hoursAfter(AT, 0)).toEqual(AT);
  });
});
