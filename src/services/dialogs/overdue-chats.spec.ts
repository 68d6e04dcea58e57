import { describe, expect, it } from '@jest/globals';
import { OverdueChats, type OverdueChat } from './overdue-chats.js';

const chats = (count: number): OverdueChat[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `c${String(n).padStart(4, '0')}`,
    address: { source: 'tg', chat: String(n), topic: '' },
  }));

describe(OverdueChats.name, () => {
  const woken = async (count: number, sweeps: number): Promise<string[][]> => {
    const all = chats(count);
    const rounds: string[][] = [];
    const overdue = new OverdueChats(
      (after, most) => Promise.resolve(all.filter(({ id }) => id > after).slice(0, most)),
      ({ chat }) => Promise.resolve(void rounds.at(-1)?.push(chat)),
    );
    for (let n = 0; n < sweeps; n += 1) {
      rounds.push([]);
      await overdue.wakeNext();
    }
    return rounds;
  };

  it('should come to each in turn, however many stand before it, and begin again behind the last', async () => {
    const rounds = await woken(450, 4);
    expect(rounds.map((round) => [round[0], round.at(-1), round.length])).toEqual([
      ['0', '199', 200],
      ['200', '399', 200],
      ['400', '449', 50],
      ['0', '199', 200],
    ]);
  });

  it('should begin again where there were just so many, and where there are none', async () => {
    expect((await woken(200, 3)).map(({ length }) => length)).toEqual([200, 0, 200]);
    expect(await woken(0, 2)).toEqual([[], []]);
  });

  it('should go on behind those that could not be woken', async () => {
    const all = chats(201);
    const woke: string[] = [];
    const overdue = new OverdueChats(
      (after, most) => Promise.resolve(all.filter(({ id }) => id > after).slice(0, most)),
      ({ chat }) => (chat === '0' ? Promise.reject(new Error('away')) : Promise.resolve(void woke.push(chat))),
    );
    await expect(overdue.wakeNext()).rejects.toThrow('away');
    await overdue.wakeNext();
    expect(woke).toEqual(all.slice(1).map(({ address }) => address.chat));
  });
});
