import { describe, expect, it } from '@jest/globals';
import { Places } from './places.js';

const never = new AbortController().signal;

/** Actions that go on until they are told to end. */
class Work {
  readonly running: string[] = [];
  private readonly ends = new Map<string, () => void>();

  action(name: string): () => Promise<void> {
    return () => {
      this.running.push(name);
      return new Promise((resolve) => {
        this.ends.set(name, () => {
          this.running.splice(this.running.indexOf(name), 1);
          resolve();
        });
      });
    };
  }

  end(name: string): void {
    this.ends.get(name)?.();
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

describe('Places', () => {
  it('gives a DAO all places but one, so that another gets its turn', async () => {
    const places = new Places(3);
    const work = new Work();
    const all = ['a1', 'a2', 'a3', 'b1'].map((name) => places.with(name.charAt(0), never, work.action(name)));
    await settle();
    expect(work.running).toEqual(['a1', 'a2', 'b1']);
    work.end('a1');
    await settle();
    expect(work.running).toEqual(['a2', 'b1', 'a3']);
    for (const name of ['a2', 'a3', 'b1']) work.end(name);
    await Promise.all(all);
  });

  it('gives the only place to whoever comes', async () => {
    const places = new Places(1);
    expect(await places.with('a', never, () => Promise.resolve('done'))).toBe('done');
  });

  it('frees a place after a failure', async () => {
    const places = new Places(1);
    await expect(places.with('a', never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await places.with('a', never, () => Promise.resolve('done'))).toBe('done');
  });

  it('lets nobody begin who was stopped while they waited, and keeps no place for them', async () => {
    const places = new Places(1);
    const work = new Work();
    const first = places.with('a', never, work.action('first'));
    const stop = new AbortController();
    const second = places.with('b', stop.signal, work.action('second'));
    const third = places.with('c', never, work.action('third'));
    await settle();
    stop.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    work.end('first');
    await settle();
    expect(work.running).toEqual(['third']);
    work.end('third');
    await Promise.all([first, third]);
  });
});
