import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import type { TemporalGateway } from './gateway.js';
import { QueueWorkers } from './workers.js';

describe('QueueWorkers', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Levels of the lines about workers that ran for so many milliseconds each before they failed. */
  async function levelsOf(...lives: number[]): Promise<string[]> {
    const levels: string[] = [];
    let now = 1_000_000;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const over = Promise.withResolvers<undefined>();
    jest.spyOn(Worker, 'create').mockImplementation(async () => {
      const life = lives[levels.length];
      if (life === undefined) over.resolve(undefined);
      now += life ?? 0;
      throw new Error('the worker failed');
    });
    const gateway: Partial<TemporalGateway> = { connection: async () => ({}) as NativeConnection, namespace: 'test' };
    const write = (line: string): void => {
      levels.push((JSON.parse(line) as { level: number }).level === 40 ? 'warn' : 'debug');
    };
    const workers = new QueueWorkers(gateway as TemporalGateway, 'bundle.js', pino({ level: 'debug' }, { write }));
    workers.add({ queue: 'q', activities: {}, workflows: false, maxActivities: 1 });
    await over.promise;
    await workers.stop();
    return levels.slice(0, lives.length);
  }

  it('warns of the first failure, and of one after a minute of health, and of no other', async () => {
    expect(await levelsOf(0, 60_000, 60_001, 5)).toEqual(['warn', 'debug', 'warn', 'debug']);
  });
});
