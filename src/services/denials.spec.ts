import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import { AppError } from '../errors/app-error.js';
import { Denials, type Denial } from './denials.js';

const KEY = { id: 'k1', owner: 'p_1' };

const denial = (changes: Partial<Denial> = {}): Denial => ({
  daoId: 'greenfood-dao',
  actor: 'tg:404',
  key: KEY,
  detail: { required_entitlement: 'chat.write', roles: ['guest'] },
  ...changes,
});

describe('Denials', () => {
  const append = jest.fn<AuditRepository['append']>();
  const lost = jest.fn();
  let sut: Denials;

  beforeEach(() => {
    jest.useFakeTimers();
    append.mockReset().mockResolvedValue('x_404');
    lost.mockReset();
    sut = new Denials({ append }, lost);
  });

  afterEach(async () => {
    await sut.close();
    jest.useRealTimers();
  });

  const written = (): unknown[] =>
    append.mock.calls.map(([place, { actor, detail }]) => [daoOf(place), actor, detail?.times ?? 1]);

  const daoOf = (place: Parameters<AuditRepository['append']>[0]): unknown =>
    typeof place === 'object' ? place?.daoId : place;

  const passMinute = (): Promise<void> => jest.advanceTimersByTimeAsync(61_000);

  it('puts the first one on the record at once, as it was', async () => {
    await sut.add(denial());
    const { daoId, actor, detail } = denial();
    expect(append.mock.calls).toEqual([
      [
        { daoId, key: KEY },
        { actor, action: 'access.denied', subject: { user: actor }, detail },
      ],
    ]);
  });

  it('counts repeats and puts them on the record as one when the minute is over', async () => {
    for (let count = 0; count < 1_000; count += 1) await sut.add(denial());
    expect(written()).toEqual([['greenfood-dao', 'tg:404', 1]]);
    await passMinute();
    expect(written()).toEqual([
      ['greenfood-dao', 'tg:404', 1],
      ['greenfood-dao', 'tg:404', 999],
    ]);
    await sut.add(denial());
    expect(written()).toHaveLength(3);
  });

  it('calls whoever is refused again as in the first row, whatever the record would call them by then', async () => {
    await sut.add(denial());
    await sut.add(denial());
    append.mockResolvedValue('x_another');
    await sut.close();
    const { actor, detail } = denial();
    expect(append.mock.calls.at(-1)).toEqual([
      { daoId: 'greenfood-dao', key: KEY },
      { actor, known: 'x_404', action: 'access.denied', subject: 'x_404', detail: { ...detail, times: 1 } },
    ]);
  });

  it('counts those that come while the first cannot be written down', async () => {
    let fail: (error: Error) => void = () => undefined;
    append.mockReturnValueOnce(new Promise((_, reject) => (fail = reject)));
    const first = sut.add(denial());
    await sut.add(denial());
    const away = new AppError('STORE_UNAVAILABLE');
    fail(away);
    await expect(first).rejects.toBe(away);
    await sut.close();
    expect(written()).toEqual([
      ['greenfood-dao', 'tg:404', 1],
      ['greenfood-dao', 'tg:404', 1],
    ]);
    expect(append.mock.calls.at(-1)?.[1]).not.toHaveProperty('known');
  });

  it('puts nothing more on the record of one that was not repeated', async () => {
    await sut.add(denial());
    await passMinute();
    await sut.close();
    expect(append).toHaveBeenCalledTimes(1);
  });

  it('tells DAOs, people, keys and what was refused apart', async () => {
    const others = [
      { daoId: null },
      { daoId: 'other-dao' },
      { actor: 'tg:405' },
      { key: { ...KEY, id: 'k2' } },
      { detail: { required_entitlement: 'audit.read' } },
      { detail: { code: 'DAO_FORBIDDEN' } },
      { detail: { code: 'ACTING_NOT_ALLOWED' } },
    ];
    for (const changes of [{}, ...others]) await sut.add(denial(changes));
    expect(append).toHaveBeenCalledTimes(8);
  });

  it('puts on the record what was counted when the process ends', async () => {
    await sut.add(denial());
    await sut.add(denial());
    await sut.add(denial());
    await sut.close();
    expect(written()).toEqual([
      ['greenfood-dao', 'tg:404', 1],
      ['greenfood-dao', 'tg:404', 2],
    ]);
  });

  it('counts together those of people that come by the hundred, and holds up no other DAO', async () => {
    for (let count = 0; count < 500; count += 1) await sut.add(denial({ actor: `tg:${count}` }));
    expect(append).toHaveBeenCalledTimes(100);
    await sut.add(denial({ daoId: 'other-dao' }));
    expect(append).toHaveBeenCalledTimes(101);
    await sut.close();
    expect(append).toHaveBeenCalledTimes(102);
    const together = append.mock.calls.find(([, { detail }]) => detail?.several === true);
    const { detail } = denial();
    const nobody = { actor: 'api:system', action: 'access.denied', subject: 'api:system' };
    expect(together).toEqual([
      { daoId: 'greenfood-dao' },
      { ...nobody, detail: { ...detail, times: 400, several: true } },
    ]);
  });

  it('tells whoever is first that the record cannot be written, and takes the next one for the first', async () => {
    const away = new AppError('STORE_UNAVAILABLE');
    append.mockRejectedValueOnce(away);
    await expect(sut.add(denial())).rejects.toBe(away);
    await sut.add(denial());
    expect(append).toHaveBeenCalledTimes(2);
  });

  it('says of counted ones that they are lost', async () => {
    await sut.add(denial());
    await sut.add(denial());
    const away = new AppError('STORE_UNAVAILABLE');
    append.mockRejectedValueOnce(away);
    await sut.close();
    expect(lost).toHaveBeenCalledWith(away);
  });
});
