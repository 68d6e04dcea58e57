import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TOPICS, USUAL_PREFERENCES } from '../../contracts/news.js';
import { afterQuiet, clockTime, isTimeZone, minuteOfDay, quietHoursIn, timeZoneIn, toldAt } from './quiet-hours.js';

const NIGHT = { from: 22 * 60, to: 8 * 60 };
const KYIV = 'Europe/Kyiv';
const at = (text: string): Date => new Date(text);

describe('quiet hours', () => {
  it.each([
    ['2026-11-30T19:59:59Z', '2026-11-30T19:59:59Z'],
    ['2026-11-30T20:00:00Z', '2026-12-01T06:00:00Z'],
    ['2026-11-30T23:30:15Z', '2026-12-01T06:00:00Z'],
    ['2026-12-01T05:59:59Z', '2026-12-01T06:00:00Z'],
    ['2026-12-01T06:00:00Z', '2026-12-01T06:00:00Z'],
    // A clock is put forward, and back, in the night.
    ['2026-03-28T22:00:00Z', '2026-03-29T05:00:00Z'],
    ['2026-10-24T21:00:00Z', '2026-10-25T06:00:00Z'],
  ])('should hold what comes at %s until %s, in Kyiv', (now, then) => {
    expect(afterQuiet(at(now), NIGHT, KYIV)).toEqual(at(then));
  });

  it('should end at their end, wherever and whenever it is', () => {
    const minute = fc.integer({ min: 0, max: 1_439 });
    const zone = fc.constantFrom('UTC', KYIV, 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia');
    const moment = fc.date({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, minute, minute, zone, (now, from, to, timeZone) => {
        const then = afterQuiet(now, { from, to }, timeZone);
        expect(then.getTime()).toBeGreaterThanOrEqual(now.getTime() - 60_000);
        expect(then.getTime() - now.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
        if (then.getTime() !== now.getTime()) {
          // A minute that a clock leaves out is passed by an hour.
          expect(Math.abs(minuteOfDay(then, timeZone) - to) % 60).toBe(0);
        }
      }),
    );
  });

  it.each([
    ['22:00-8:00', NIGHT],
    ['22-8', NIGHT],
    ['22 – 08:30', { from: 1_320, to: 510 }],
    ['0-7', { from: 0, to: 420 }],
  ])('should be read: %s', (text, hours) => {
    expect(quietHoursIn(text)).toEqual(hours);
  });

  it.each(['', 'night', '24-8', '22:60-8', '8-8', '22', '22-8-9'])('should be none: %j', (text) => {
    expect(quietHoursIn(text)).toBeUndefined();
  });

  it('should be shown as clocks do', () => {
    expect([clockTime(0), clockTime(510), clockTime(1_439)]).toEqual(['00:00', '08:30', '23:59']);
  });

  it('should know time zones', () => {
    expect([KYIV, 'UTC', 'Kyiv', '', 'Europe/'].map(isTimeZone)).toEqual([true, true, false, false, false]);
  });
});

describe('what somebody is told', () => {
  const now = at('2026-11-30T21:00:00Z');

  it('should be told at once, as usual', () => {
    expect(toldAt({ kind: 'gate_asked' }, { preferences: USUAL_PREFERENCES, now })).toBe(now);
  });

  it('should not be told of what they want to hear nothing of', () => {
    const preferences = { ...USUAL_PREFERENCES, muted: TOPICS.filter((topic) => topic !== 'runs') };
    expect(toldAt({ kind: 'proposal_closed' }, { preferences, now })).toBeNull();
    expect(toldAt({ kind: 'run_ended' }, { preferences, now })).toBe(now);
  });

  it('should be told when they are not to be left alone any more', () => {
    const preferences = { ...USUAL_PREFERENCES, quiet: NIGHT };
    expect(toldAt({ kind: 'gate_asked' }, { preferences, now })).toEqual(at('2026-12-01T06:00:00Z'));
  });
});

describe(timeZoneIn, () => {
  it.each([
    ['Europe/Kyiv', 'Europe/Kyiv'],
    ['europe/kyiv', 'Europe/Kyiv'],
    ['kyiv', 'Europe/Kyiv'],
    [' New York ', 'America/New_York'],
    ['america/port-au-prince', 'America/Port-au-Prince'],
    ['utc', 'UTC'],
    ['', undefined],
    ['Nowhere', undefined],
    ['Europe/', undefined],
  ])('should understand %j as %j', (text, zone) => {
    expect(timeZoneIn(text)).toBe(zone);
  });
});
