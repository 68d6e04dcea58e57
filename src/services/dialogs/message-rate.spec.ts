import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { aTurn } from '../../../test/factories/conversation.js';
import { RequestCounter } from '../../adapters/limits/request-counter.js';
import type { ShownAnswersRepository } from '../../adapters/store/shown-answers.repository.js';
import { MessageRate } from './message-rate.js';

const NOW = new Date('2026-11-30T12:00:00Z');

describe(MessageRate, () => {
  const wasRefusedSince = jest.fn<ShownAnswersRepository['wasRefusedSince']>();
  let rate: MessageRate;
  const of = (daoId: string, actor: string, language: 'en' | 'uk' = 'en') =>
    rate.beyond({ ...aTurn('hi', { actor }, language), daoId });

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW });
    wasRefusedSince.mockReset().mockResolvedValue(false);
    const counter = RequestCounter.inMemory(pino({ level: 'silent' }));
    rate = new MessageRate({ counter, answers: { wasRefusedSince }, perMinute: () => 2 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('lets in so many of a person in a DAO, and those of others', async () => {
    for (const one of [1, 2]) expect([one, await of('a', 'tg:1')]).toEqual([one, undefined]);
    expect(await of('a', 'tg:1')).toBeTruthy();
    expect(await of('a', 'tg:2')).toBeUndefined();
    expect(await of('b', 'tg:1')).toBeUndefined();
    jest.advanceTimersByTime(60_001);
    expect(await of('a', 'tg:1')).toBeUndefined();
  });

  it('says when to write again, in the language of whoever writes, and only once', async () => {
    await Promise.all([of('a', 'tg:1'), of('a', 'tg:1')]);
    jest.advanceTimersByTime(20_000);
    const told = await of('a', 'tg:1');
    expect(told).toMatchObject({ buttons: [], refused: { code: 'RATE_LIMITED' } });
    expect(told?.body.text).toContain('write again in 40 seconds');
    expect((await of('a', 'tg:1', 'uk'))?.body.text).toContain('знову через 40 секунд');
    expect(wasRefusedSince).toHaveBeenLastCalledWith(expect.anything(), 'a', { code: 'RATE_LIMITED', since: NOW });
    wasRefusedSince.mockResolvedValue(true);
    expect(await of('a', 'tg:1')).toBeNull();
  });

  it('lets few words be said in a minute to what somebody does beside turns, wherever that is, and ends those begun', async () => {
    const beside = (actor: string, isAgain = false) => rate.maySayBeside({ actor, isAgain });
    const allowed = await Promise.all(Array.from({ length: 7 }, () => beside('tg:1')));
    expect(allowed).toEqual([true, true, true, true, true, false, false]);
    expect(await beside('tg:1', true)).toBe(true);
    expect(await beside('tg:2')).toBe(true);
    jest.advanceTimersByTime(60_001);
    expect(await beside('tg:1')).toBe(true);
  });
});
