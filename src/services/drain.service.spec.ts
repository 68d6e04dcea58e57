import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.js';
import { DrainService } from './drain.service.js';

const SHUTTING_DOWN = new AppError('SHUTTING_DOWN').message;

describe('DrainService', () => {
  it('takes new work, and ends no waiting, while the process goes on', () => {
    const drain = new DrainService();
    expect(() => drain.refuseWhenStopping()).not.toThrow();
    expect(drain.orStopping(new AbortController().signal).aborted).toBe(false);
  });

  it('refuses new work first, and lets those who wait go on waiting', () => {
    const drain = new DrainService();
    const waiting = drain.orStopping(new AbortController().signal);
    drain.refuse();
    expect(() => drain.refuseWhenStopping()).toThrow(SHUTTING_DOWN);
    expect(waiting.aborted).toBe(false);
    expect(drain.orStopping(new AbortController().signal).aborted).toBe(false);
  });

  it('ends the waiting at last, of those who come then too', () => {
    const drain = new DrainService();
    const waiting = drain.orStopping(new AbortController().signal);
    drain.refuse();
    drain.stop();
    expect(waiting.aborted).toBe(true);
    expect(drain.orStopping(new AbortController().signal).aborted).toBe(true);
    expect(() => drain.refuseWhenStopping()).toThrow(SHUTTING_DOWN);
  });

  it('refuses new work when it stops without a refusal before', () => {
    const drain = new DrainService();
    drain.stop();
    expect(() => drain.refuseWhenStopping()).toThrow(SHUTTING_DOWN);
  });

  it('ends the waiting of whoever has gone by itself', () => {
    const gone = new AbortController();
    const waiting = new DrainService().orStopping(gone.signal);
    gone.abort();
    expect(waiting.aborted).toBe(true);
  });
});
