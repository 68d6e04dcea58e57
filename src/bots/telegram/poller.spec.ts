import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { AppError } from '../../errors/app-error.js';
import { strict } from '../../../test/factories/strict.js';
import { until } from '../../../test/support/until.js';
import type { TelegramIntake } from './intake.js';
import { TelegramPoller, type PollingLease } from './poller.js';

const log = pino({ level: 'silent' });
const HELD: PollingLease = { held: () => Promise.resolve(true), release: () => Promise.resolve() };

const update = (id: number, chat: number): object => ({
  update_id: id,
  message: { message_id: id, chat: { id: chat } },
});

/** Updates as the platform keeps them: until an offset behind them is asked for. */
class Source {
  readonly offsets: (number | undefined)[] = [];
  /** Ends the poll that waits, with what there is by then. */
  answer: () => void = () => undefined;

  constructor(private kept: { update_id: number }[]) {}

  async getUpdates(offset: number | undefined, signal: AbortSignal): Promise<unknown[]> {
    this.offsets.push(offset);
    this.kept = this.kept.filter((one) => one.update_id >= (offset ?? 0));
    if (this.kept.length > 0) return this.kept;
    await new Promise<void>((resolve) => {
      this.answer = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return this.kept;
  }

  add(one: { update_id: number }): void {
    this.kept.push(one);
    this.answer();
  }
}

describe(TelegramPoller.name, () => {
  const sourceOf = (...updates: [id: number, chat: number][]): Source =>
    new Source(updates.map(([id, chat]) => update(id, chat) as { update_id: number }));

  const poll = (source: Source, take: (id: number) => Promise<void>, lease = HELD): TelegramPoller => {
    const intake = strict<TelegramIntake>('intake', { take: (one) => take((one as { update_id: number }).update_id) });
    const poller = new TelegramPoller(source, intake, lease, log);
    poller.start();
    return poller;
  };

  it('should let the platform forget updates only once all were taken in', async () => {
    const source = sourceOf([5, 1], [6, 2], [7, 1]);
    const taken: number[] = [];
    const held = Promise.withResolvers<undefined>();
    const poller = poll(source, async (id) => {
      if (id === 6) await held.promise;
      taken.push(id);
    });
    await until(() => taken.length === 2);
    expect(taken).toEqual([5, 7]);
    expect(source.offsets).toEqual([undefined]);
    held.resolve(undefined);
    await until(() => source.offsets.length === 2);
    expect(source.offsets).toEqual([undefined, 8]);
    await poller.stop();
  });

  it('should take in what belongs to one chat in order, and try again what could not be', async () => {
    const source = sourceOf([5, 1], [6, 1]);
    const taken: number[] = [];
    let failures = 0;
    const poller = poll(source, (id) => {
      if (id === 5 && failures === 0) {
        failures += 1;
        return Promise.reject(new AppError('STORE_UNAVAILABLE'));
      }
      taken.push(id);
      return Promise.resolve();
    });
    await until(() => taken.length === 2);
    expect(taken).toEqual([5, 6]);
    await poller.stop();
  });

  it('should ask for whatever comes next once there was nothing: after a quiet week numbers may be lower', async () => {
    const source = sourceOf([1_000_005, 1]);
    const taken: number[] = [];
    const poller = poll(source, (id) => {
      taken.push(id);
      return Promise.resolve();
    });
    await until(() => source.offsets.length === 2);
    source.answer();
    await until(() => source.offsets.length === 3);
    source.add(update(7, 1) as { update_id: number });
    await until(() => source.offsets.length === 4);
    expect(taken).toEqual([1_000_005, 7]);
    expect(source.offsets).toEqual([undefined, 1_000_006, undefined, 8]);
    await poller.stop();
  });

  it('should leave out what is no update', async () => {
    const source = sourceOf([5, 1]);
    const poller = poll(source, () => Promise.reject(new AppError('BODY_INVALID')));
    await until(() => source.offsets.length === 2);
    expect(source.offsets).toEqual([undefined, 6]);
    await poller.stop();
  });

  it('should not poll while another process does, and let go of the lease when it stops', async () => {
    const source = sourceOf([5, 1]);
    let asked = 0;
    let released = false;
    const lease: PollingLease = {
      held: () => {
        asked += 1;
        return Promise.resolve(false);
      },
      release: () => {
        released = true;
        return Promise.resolve();
      },
    };
    const poller = poll(source, () => Promise.resolve(), lease);
    await until(() => asked > 0);
    await poller.stop();
    expect([source.offsets, released]).toEqual([[], true]);
  });
});
