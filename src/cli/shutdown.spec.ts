import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parseParent, Shutdown } from './shutdown.js';

describe(Shutdown.name, () => {
  const onForce = jest.fn();
  let sut: Shutdown;

  beforeEach(() => {
    jest.useFakeTimers();
    onForce.mockClear();
    sut = new Shutdown({ onForce });
  });
  afterEach(() => {
    sut.dispose();
    jest.useRealTimers();
  });

  const send = (signal: NodeJS.Signals): boolean => process.emit(signal, signal);

  it.each(['SIGINT', 'SIGTERM'] as const)('should be requested by %s', async (signal) => {
    send(signal);
    await sut.requested();
    expect(sut.signal.aborted).toBe(true);
    expect(sut.reason).toBe(signal);
  });

  it.each([
    ['stop when the terminal is gone', true],
    ['stay when it only tells to read the configuration again', false],
  ])('should, on SIGHUP, %s', (_what, hungUp) => {
    const other = new Shutdown({ onForce, isHungUp: () => hungUp });
    send('SIGHUP');
    expect(other.signal.aborted).toBe(hungUp);
    other.dispose();
  });

  it('should take signals that come together for one press', () => {
    send('SIGINT');
    jest.advanceTimersByTime(200);
    send('SIGINT');
    send('SIGTERM');
    expect(onForce).not.toHaveBeenCalled();
  });

  it('should force on a second press', () => {
    send('SIGINT');
    jest.advanceTimersByTime(1_500);
    send('SIGINT');
    expect(onForce).toHaveBeenCalledTimes(1);
  });

  it('should be requested when the parent has changed', () => {
    const orphan = new Shutdown({ onForce, exitWithParent: process.ppid + 1 });
    const child = new Shutdown({ onForce, exitWithParent: true });
    jest.advanceTimersByTime(2_500);
    expect(orphan.reason).toBe('the parent process ended');
    expect(child.signal.aborted).toBe(false);
    orphan.dispose();
    child.dispose();
  });
});

describe(parseParent.name, () => {
  it('should read a pid, and take anything else for the parent', () => {
    expect([parseParent('123'), parseParent(true), parseParent('x')]).toEqual([123, true, true]);
  });
});
