import { describe, expect, it } from '@jest/globals';
import { anUpdate } from '../../../test/factories/conversation.js';
import type { InboundBody, OpenUpdate, Unanswered } from '../../contracts/dialog.js';
import { isJoinable, joining, MOST_JOINED, wordsOf } from './joining.js';

const WITHIN = 1_000;
const BEGAN = anUpdate().receivedAt.getTime();
const first = anUpdate();

/** A message that came so many milliseconds after the first one. */
const after = (ms: number, changes: Partial<Unanswered> = {}): Unanswered => ({
  ...{ id: `at ${ms}`, actor: first.actor, receivedAt: new Date(BEGAN + ms), isFree: true },
  body: { kind: 'message', text: 'and' },
  ...changes,
});
const at = (ms: number, ...behind: Unanswered[]) => joining(first, behind, WITHIN, BEGAN + ms);

describe('messages that are answered as one', () => {
  it('wait until the newest of them is old enough', () => {
    expect(at(0)).toEqual({ waitMs: 1_000 });
    expect(at(700)).toEqual({ waitMs: 300 });
    expect(at(900, after(800))).toEqual({ waitMs: 900 });
    expect(at(1_000)).toEqual({ ids: [] });
    expect(at(1_800, after(800))).toEqual({ ids: ['at 800'] });
    expect(at(9_000, after(800), after(1_700))).toEqual({ ids: ['at 800', 'at 1700'] });
  });

  it('do not wait for ever', () => {
    const behind = [900, 1_800, 2_700, 3_600, 4_500].map((ms) => after(ms));
    expect(at(4_900, ...behind)).toEqual({ waitMs: 100 });
    expect(at(5_000, ...behind)).toEqual({ ids: behind.map(({ id }) => id) });
    const many = Array.from({ length: 30 }, (_, n) => after(n));
    expect(at(10, ...many)).toEqual({ ids: many.slice(0, MOST_JOINED - 1).map(({ id }) => id) });
  });

  const message = (changes: object): InboundBody => ({ kind: 'message', text: 'and', ...changes });
  it.each<[string, Partial<Unanswered>]>([
    ['of somebody else', { actor: 'tg:8' }],
    ['a command', { body: message({ text: '/help' }) }],
    ['a photo with a caption', { body: message({ attachment: 'photo' }) }],
    ['a sticker', { body: message({ text: '', attachment: 'sticker' }) }],
    ['what a button says', { body: message({ isQuestion: true }) }],
    ['one that somebody has begun with, or nobody wants', { isFree: false }],
    ['too late', { receivedAt: new Date(BEGAN + 1_601) }],
  ])('end before what is %s', (_what, changes) => {
    expect(at(700, after(600), after(650, changes), after(660))).toEqual({ ids: ['at 600'] });
  });

  it.each<[string, Partial<OpenUpdate>, boolean]>([
    ['words', {}, true],
    ['words of Discord', { address: { ...first.address, source: 'dc' } }, false],
    ['what is stopped', { isStopped: true }, false],
    ['what is of no DAO', { daoId: null }, false],
    ['what cannot be answered', { isClosed: true }, false],
    ['a command', { body: message({ text: '/why' }) }, false],
    ['what is decided', { body: message({ more: [] }) }, false],
    ['a press', { body: { kind: 'button', press: 'p', data: 'd' } }, false],
  ])('begin with %s: %#', (_what, changes, may) => {
    expect(isJoinable(anUpdate(changes))).toBe(may);
  });

  it('say all that they say, in their order', () => {
    expect(wordsOf({ kind: 'message', text: 'one' })).toBe('one');
    const more = [
      { id: '2', text: 'two' },
      { id: '3', text: 'three' },
    ];
    expect(wordsOf({ kind: 'message', text: 'one', more })).toBe('one\ntwo\nthree');
  });
});
