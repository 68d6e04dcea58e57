import { describe, expect, it } from '@jest/globals';
import type { ServerContext } from '@modelcontextprotocol/server';
import type { RequestEvent } from '../contracts/events.js';
import { Progress } from './progress.js';

interface Told {
  progressToken: unknown;
  progress: number;
  message: string;
}

/** A call whose notices are kept. */
function callWith(progressToken?: string): { context: ServerContext; told: Told[]; stop: AbortController } {
  const told: Told[] = [];
  const stop = new AbortController();
  const mcpReq = {
    ...(progressToken !== undefined && { _meta: { progressToken } }),
    signal: stop.signal,
    notify: ({ params }: { params?: object }) => {
      told.push(params as Told);
      return Promise.resolve();
    },
  };
  return { context: { mcpReq } as unknown as ServerContext, told, stop };
}

const attempt: RequestEvent = { type: 'attempt', data: { provider: 'embedded', generation: 1 } };
const token: RequestEvent = { type: 'token', data: { text: 'a' } };

describe(Progress, () => {
  it('should tell nobody who did not ask', () => {
    const { context, told } = callWith();
    const progress = new Progress(context);
    progress.show(attempt);
    progress.close();
    expect(progress.isWanted).toBe(false);
    expect(told).toEqual([]);
  });

  it('should tell with the token of the call, and at once, but not of everything that comes close behind', () => {
    const { context, told } = callWith('t');
    const progress = new Progress(context);
    progress.show(attempt);
    progress.show(token);
    progress.close();
    expect(told).toEqual([{ progressToken: 't', progress: 1, message: 'asking embedded' }]);
  });

  it('should tell nothing more once the caller is gone', () => {
    const { context, told, stop } = callWith('t');
    const progress = new Progress(context);
    stop.abort();
    progress.show(attempt);
    progress.close();
    expect(told).toEqual([]);
  });

  it('should say of a run who works, and whom it waits for', () => {
    const say = (waits_for: 'approval' | null): string | undefined => {
      const { context, told } = callWith('t');
      const progress = new Progress(context);
      progress.show({ type: 'crew', data: { task: 'plan', agent: 'planner', state: 'running', tokens: 3, waits_for } });
      progress.close();
      return told[0]?.message;
    };
    expect(say(null)).toBe('planner: plan running');
    expect(say('approval')).toBe('waits for a person: approval');
  });
});
