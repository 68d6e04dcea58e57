import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Stopped } from '../src/contracts/failures.js';
import { stopSignal, type StopLimits, type StopSignal } from './stop-signal.js';

describe('stopSignal', () => {
  let environment: MockActivityEnvironment;
  let cancel: (() => void) | undefined;
  let beats: number;

  beforeEach(() => {
    jest.useFakeTimers();
    environment = new MockActivityEnvironment();
    beats = 0;
    environment.on('heartbeat', () => (beats += 1));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  async function start(limits: Partial<StopLimits> = {}): Promise<StopSignal> {
    let stop: StopSignal | undefined;
    await environment.run(async () => {
      stop = stopSignal({
        deadlineAt: Date.now() + 60_000,
        onCancel: (listener) => {
          cancel = listener;
          return () => {
            cancel = undefined;
          };
        },
        ...limits,
      });
    });
    return stop!;
  }

  const reason = ({ signal }: StopSignal): string | undefined =>
    signal.reason instanceof Stopped ? signal.reason.failure.type : undefined;

  it('stops when the call takes too long, not the wait before it', async () => {
    const stop = await start();
    jest.advanceTimersByTime(20_000);
    stop.limitCall(5_000);
    jest.advanceTimersByTime(4_999);
    expect(stop.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(reason(stop)).toBe('ProviderTimeout');
  });

  it('stops at the deadline, if that comes first', async () => {
    const stop = await start({ deadlineAt: Date.now() + 3_000 });
    stop.limitCall(3_000);
    jest.advanceTimersByTime(2_999);
    expect(stop.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(reason(stop)).toBe('DeadlineExceeded');
  });

  it('stops at the deadline while it waits', async () => {
    const stop = await start({ deadlineAt: Date.now() + 3_000 });
    jest.advanceTimersByTime(3_000);
    expect(reason(stop)).toBe('DeadlineExceeded');
  });

  it('stops for a reason from outside', async () => {
    const stop = await start();
    stop.stop({ type: 'WorkerStopped', message: 'the place was lost' });
    expect(reason(stop)).toBe('WorkerStopped');
  });

  it('stops at once where the deadline has passed', async () => {
    const stop = await start({ deadlineAt: Date.now() - 1 });
    jest.advanceTimersByTime(0);
    expect(reason(stop)).toBe('DeadlineExceeded');
  });

  it('stops on a cancel in this process', async () => {
    const stop = await start();
    cancel?.();
    expect(reason(stop)).toBe('Cancelled');
  });

  it('stops on a cancel by Temporal, and for a worker that stops with another reason', async () => {
    const cancelled = await start();
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(reason(cancelled)).toBe('Cancelled');
    environment = new MockActivityEnvironment();
    const shutDown = await start();
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    expect(reason(shutDown)).toBe('WorkerStopped');
  });

  it('is stopped from the start where Temporal cancelled before', async () => {
    environment.cancel();
    expect(reason(await start())).toBe('Cancelled');
  });

  it('has no heartbeats where Temporal would not take them', async () => {
    environment = new MockActivityEnvironment({ isLocal: true });
    environment.on('heartbeat', () => (beats += 1));
    await start();
    jest.advanceTimersByTime(5_000);
    expect(beats).toBe(0);
  });

  it('keeps the first reason', async () => {
    const stop = await start();
    cancel?.();
    jest.advanceTimersByTime(60_000);
    expect(reason(stop)).toBe('Cancelled');
  });

  it('sends a heartbeat each second, through which Temporal can answer', async () => {
    await start();
    jest.advanceTimersByTime(3_000);
    expect(beats).toBe(3);
  });

  it('leaves nothing behind, and stops nothing afterwards', async () => {
    const before = jest.getTimerCount();
    const stop = await start();
    stop.limitCall(5_000);
    expect(jest.getTimerCount()).toBe(before + 3);
    stop.dispose();
    expect(jest.getTimerCount()).toBe(before);
    expect(cancel).toBeUndefined();
    environment.cancel();
    jest.advanceTimersByTime(60_000);
    expect(stop.signal.aborted).toBe(false);
    expect(beats).toBe(0);
  });
});
