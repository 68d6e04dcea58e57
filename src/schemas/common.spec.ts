import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { storable } from '../contracts/text.js';
import { ActingQuerySchema, personId, preferredWaitMs, RequestIdSchema } from './common.js';

describe('preferredWaitMs', () => {
  it.each([
    ['wait=10', 10_000],
    ['wait=0', 0],
    ['Wait=5', 5_000],
    ['respond-async, wait=20', 20_000],
    ['respond-async;wait=20', 20_000],
    ['wait=7, handling=lenient', 7_000],
    ['wait=99999', 99_999_000],
  ])('reads %j as %d ms', (prefer, expected) => {
    expect(preferredWaitMs(prefer)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    'respond-async',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=x',
    'await=5',
    'wait=5s',
    'wait=100000',
  ])('takes nothing from %j', (prefer) => {
    expect(preferredWaitMs(prefer)).toBeUndefined();
  });

  it('never gives anything but whole seconds that are not negative', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((tail) => `wait=${tail}`),
        ),
        (prefer) => {
          const wait = preferredWaitMs(prefer) ?? 0;
          expect(wait % 1_000).toBe(0);
          expect(wait).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('storable', () => {
  it('makes any text well formed and free of U+0000, and does so once and for all', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff })), (units) => {
        const kept = storable(String.fromCharCode(0, ...units));
        expect(kept.includes('\0')).toBe(false);
        expect(kept.isWellFormed()).toBe(true);
        expect(storable(kept)).toBe(kept);
      }),
    );
  });
});

describe('ActingQuerySchema', () => {
  it('reads DAO and user', () => {
    expect(ActingQuerySchema.parse({ dao_id: 'd', user_id: 'u' })).toEqual({ dao_id: 'd', user_id: 'u' });
    expect(ActingQuerySchema.parse({})).toEqual({});
  });

  it.each([{ dao_id: '' }, { user_id: 'x'.repeat(257) }, { user_id: ['a', 'b'] }, { user_id: '\0' }, { user: 'u' }])(
    'refuses %j',
    (query) => {
      expect(ActingQuerySchema.safeParse(query).success).toBe(false);
    },
  );

  it('hands on nothing that the database cannot keep', () => {
    expect(ActingQuerySchema.parse({ user_id: 'tg:\u00001' })).toEqual({ user_id: 'tg:1' });
  });
});

describe('personId', () => {
  it('is one id, however it was typed', () => {
    expect(personId.parse('tg:e\u0301')).toBe('tg:\u00e9');
    expect(ActingQuerySchema.parse({ user_id: 'tg:e\u0301' })).toEqual({ user_id: 'tg:\u00e9' });
  });

  it.each(['api:x', 'p_1', 'x_1', 'tg:\u200b1', 'tg:1 ', '', 'x'.repeat(257)])('refuses %j', (name) => {
    expect(personId.safeParse(name).success).toBe(false);
  });
});

describe('RequestIdSchema', () => {
  it('takes at most 64 characters, and none that the database cannot look for', () => {
    expect(RequestIdSchema.safeParse('x'.repeat(64)).success).toBe(true);
    expect(RequestIdSchema.safeParse('x'.repeat(65)).success).toBe(false);
    expect(RequestIdSchema.parse('a\0b')).toBe('ab');
  });
});
