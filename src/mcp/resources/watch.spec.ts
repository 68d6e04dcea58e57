import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { CallerKey } from '../../contracts/access.js';
import { AppError } from '../../errors/app-error.js';
import { until } from '../../../test/support/until.js';
import type { Reader } from './reading.js';
import { Watch } from './watch.js';

const URI = 'dagi://green-dao';
const EVERY_MS = 5;
const READER: Reader = { key: {} as CallerKey, actingIn: () => ({}) };

describe(Watch, () => {
  let shown: () => object;
  let reader: () => Reader | undefined;
  let isBehind: boolean;
  let reads: number;
  let readsOf: number[];
  let asked: number;
  let told: string[];
  let ended: string[];
  let failures: unknown[];
  let stopping: AbortController;
  let stop: (() => void) | undefined;

  beforeEach(() => {
    shown = () => ({ n: 1 });
    reader = () => READER;
    isBehind = false;
    reads = 0;
    readsOf = [];
    asked = 0;
    told = [];
    ended = [];
    failures = [];
    stopping = new AbortController();
  });
  afterEach(() => stop?.());

  const begun = async (): Promise<void> => {
    const place = readsOf.push(0) - 1;
    const watch = new Watch({
      addresses: new Map([[URI, { daoId: 'green-dao', kind: 'dao' }]]),
      reader: () => Promise.resolve(reader()),
      read: () => {
        reads += 1;
        readsOf[place]! += 1;
        return Promise.resolve().then(shown);
      },
      isBehind: () => {
        asked += 1;
        return isBehind;
      },
      end: (how) => void ended.push(how),
      failed: (error) => void failures.push(error),
      orStopping: (signal) => AbortSignal.any([signal, stopping.signal]),
      everyMs: EVERY_MS,
    });
    await watch.begin(READER, (uri) => new Error(uri));
    stop = watch.subscribe((event: ServerEvent) => {
      if (event.kind === 'resource_updated') told.push(event.uri);
    });
  };

  /** Waits until it has looked so often more. */
  const looked = async (times: number): Promise<void> => {
    const before = reads;
    await until(() => reads >= before + times);
  };

  it('should tell of what is no longer the same, once, and of nothing else', async () => {
    await begun();
    await looked(3);
    expect(told).toEqual([]);
    shown = () => ({ n: 2 });
    await looked(3);
    expect(told).toEqual([URI]);
  });

  it('should tell of what changed between the first look and the stream', async () => {
    shown = () => ({ n: reads > 1 ? 2 : 1 });
    await begun();
    await looked(2);
    expect(told).toEqual([URI]);
  });

  it('should go on where the database is away, and tell what changed meanwhile', async () => {
    await begun();
    shown = () => {
      throw new AppError('STORE_UNAVAILABLE');
    };
    await looked(3);
    expect(failures[0]).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    shown = () => ({ n: 2 });
    await looked(3);
    expect({ told, ended }).toEqual({ told: [URI], ended: [] });
  });

  it.each([
    ['the right is lost', () => (shown = refuse)],
    ['the key opens nothing any more', () => (reader = () => undefined)],
    ['the process stops', () => stopping.abort()],
  ])('should end where %s', async (_why, happens) => {
    await begun();
    happens();
    await until(() => ended.length > 0);
    expect({ ended, told }).toEqual({ ended: ['over'], told: [] });
  });

  it('should read nothing and tell nothing while the subscriber takes nothing, then what has become of it', async () => {
    await begun();
    isBehind = true;
    shown = () => ({ n: 2 });
    await until(() => asked > 5);
    expect({ reads, told, ended }).toEqual({ reads: 1, told: [], ended: [] });
    isBehind = false;
    await looked(3);
    expect({ told, ended }).toEqual({ told: [URI], ended: [] });
  });

  it('should rest ten times as long as a look takes', async () => {
    const slow = 40;
    shown = () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slow);
      return {};
    };
    await begun();
    await looked(1);
    const began = performance.now();
    await looked(1);
    expect(performance.now() - began).toBeGreaterThanOrEqual(slow * 10);
  });

  it('should stop with the stream, and say nothing more', async () => {
    await begun();
    stop?.();
    // Another one is the clock by which this one would have looked.
    await begun();
    await looked(3);
    expect({ ended, first: readsOf[0] }).toEqual({ ended: [], first: 1 });
  });

  it('should refuse what may not be read before it begins', async () => {
    shown = refuse;
    await expect(begun()).rejects.toThrow(URI);
  });
});

const refuse = (): never => {
  throw new AppError('RBAC_PERMISSION_DENIED');
};
