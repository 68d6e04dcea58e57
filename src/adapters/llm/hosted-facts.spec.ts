import { describe, expect, it, jest } from '@jest/globals';
import { configuredCapabilities, Remembered } from './hosted-facts.js';

const patient = (): AbortSignal => AbortSignal.timeout(5_000);

/** Something to be told, whenever the test wants. */
function telling(): { ask: jest.Mock<() => Promise<string>>; tell: (what: string) => void; fail: () => void } {
  let [tell, fail] = [(_what: string): void => undefined, (): void => undefined];
  const ask = jest.fn(
    () =>
      new Promise<string>((resolve, reject) => {
        tell = resolve;
        fail = () => {
          reject(new Error('no'));
        };
      }),
  );
  return {
    ask,
    tell: (what) => {
      tell(what);
    },
    fail: () => {
      fail();
    },
  };
}

describe('what an endpoint tells', () => {
  it('is asked for once and shared', async () => {
    const { ask, tell } = telling();
    const sut = new Remembered(ask);
    const both = [sut.get(patient()), sut.get(patient())];
    tell('it');
    expect(await Promise.all([...both, sut.get(patient())])).toEqual(['it', 'it', 'it']);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('is waited for no longer than the signal, and is there the next time', async () => {
    const { ask, tell } = telling();
    const sut = new Remembered(ask);
    expect(await sut.get(AbortSignal.timeout(5))).toBeUndefined();
    expect(await sut.get(AbortSignal.abort())).toBeUndefined();
    const later = sut.get(patient());
    tell('it');
    expect(await later).toBe('it');
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('serves while it is asked for anew, and after a failure', async () => {
    const now = jest.spyOn(Date, 'now');
    try {
      const { ask, tell, fail } = telling();
      const sut = new Remembered(ask);
      now.mockReturnValue(0);
      sut.take('old');
      now.mockReturnValue(299_999);
      expect(await sut.get(patient())).toBe('old');
      expect(ask).not.toHaveBeenCalled();
      now.mockReturnValue(300_000);
      expect(await sut.get(patient())).toBe('old');
      fail();
      await new Promise(setImmediate);
      expect(await sut.get(patient())).toBe('old');
      expect(ask).toHaveBeenCalledTimes(1);
      now.mockReturnValue(320_000);
      expect(await sut.get(patient())).toBe('old');
      tell('new');
      await new Promise(setImmediate);
      expect(await sut.get(patient())).toBe('new');
    } finally {
      now.mockRestore();
    }
  });

  it('is not asked for again at once where the endpoint failed to tell', async () => {
    const { ask, fail } = telling();
    const sut = new Remembered(ask);
    const first = sut.get(patient());
    fail();
    expect([await first, await sut.get(patient())]).toEqual([undefined, undefined]);
    expect(ask).toHaveBeenCalledTimes(1);
  });
});

it.each([
  [undefined, undefined],
  [[], undefined],
  [['embeddings'], ['embeddings']],
  [['tools'], ['completion', 'tools']],
  [
    ['completion', 'vision'],
    ['completion', 'vision'],
  ],
  [
    ['embeddings', 'tools'],
    ['completion', 'embeddings', 'tools'],
  ],
] as const)('capabilities configured as %j are %j', (given, read) => {
  expect(configuredCapabilities(given)).toEqual(read);
});
