import { describe, expect, it } from '@jest/globals';
import { aCrew, aTaskDefinition } from '../../../test/factories/crew.js';
import { PlayedRun, type Script } from '../../../test/factories/crew-runs.js';
import { MAX_COOL_MS, PROBE_LEASE_MS } from '../cooldown.js';
import { retryAt } from './retries.js';

const away = (failure: { code: string; retryAfterMs?: number }) => ({
  ...{ key: 'a', kind: 'model' as const, state: 'failed' as const, text: '', toolCalls: [], isCut: false },
  ...{ result: null, usage: null, ms: 0, endedAt: new Date(5_000), failure: { reason: '', ...failure } },
});

const runOf = (script: Script): PlayedRun =>
  new PlayedRun({ definition: aCrew({ tasks: { plan: aTaskDefinition({ retries: 0 }) } }), script });

describe(retryAt.name, () => {
  it('should wait longer each time, a minute at most, and as long as the provider asks', () => {
    const at = (tries: number, retryAfterMs?: number) =>
      retryAt(away({ code: 'PROVIDER_FAILED', ...(retryAfterMs !== undefined && { retryAfterMs }) }), tries)?.getTime();
    expect([0, 1, 2, 3].map((tries) => at(tries))).toEqual([6_000, 7_000, 9_000, 13_000]);
    expect(at(4)).toBeUndefined();
    expect(at(0, 20_000)).toBe(25_000);
    expect(at(0, 3_600_000)).toBe(65_000);
  });

  it('should not wait for what does not pass', () => {
    expect(retryAt(away({ code: 'MODEL_NOT_FOUND' }), 0)).toBeUndefined();
    expect(retryAt({ ...away({ code: 'QUEUE_FULL' }), failure: null }, 0)).toBeUndefined();
  });

  it('should have a turn taken again after its pause, and say when to look', () => {
    const script = { 'plan-1.1.1': { fails: 'QUEUE_FULL' }, 'plan-1.1.1~1': { says: { text: 'well' } } };
    const run = runOf(script).look().end('plan-1.1.1').look();
    expect(run.open).toEqual([]);
    expect(run.lookAt).toEqual(new Date(1_000));
    run.now = new Date(999);
    expect(run.look().open).toEqual([]);
    run.now = new Date(1_000);
    expect(run.look()).toMatchObject({ open: ['plan-1.1.1~1'], lookAt: null });
    expect(run.turn('plan-1.1.1~1').says).toEqual(run.turn('plan-1.1.1').says);
    expect(run.play().final).toMatchObject({ status: 'completed' });
  });

  it('should go on behind a turn that was taken again', () => {
    const script: Script = {
      'plan-1.1.1': { fails: 'STREAM_INTERRUPTED' },
      'plan-1.1.1~1': { says: 'hm' },
      'plan-1.1.2': { says: { text: 'well' } },
    };
    expect(runOf(script).play().turn('plan-1.1.2').says).toMatchObject({ after: 'plan-1.1.1~1' });
  });

  it('should outlast a cooldown and the probe behind it, where no model was asked', () => {
    const run = runOf(() => ({ fails: 'PROVIDERS_COOLING' })).play();
    expect(run.now.getTime()).toBeGreaterThan(MAX_COOL_MS + PROBE_LEASE_MS);
    expect(run.keys).toHaveLength(9);
    expect(run.final).toMatchObject({ code: 'CREW_FAILED' });
  });

  it('should tell why a provider rests, and not that it does', () => {
    const script: Script = ({ key }) => ({ fails: key === 'plan-1.1.1' ? 'PROVIDER_FAILED' : 'PROVIDERS_COOLING' });
    expect(runOf(script).play().final).toMatchObject({ reason: expect.stringContaining('scripted PROVIDER_FAILED') });
  });

  it('should give up after the fourth time', () => {
    const run = runOf(() => ({ fails: 'PROVIDER_FAILED' })).play();
    expect(run.keys).toEqual(['plan-1.1.1', ...[1, 2, 3, 4].map((n) => `plan-1.1.1~${n}`)]);
    expect(run.now).toEqual(new Date(15_000));
    expect(run.final).toMatchObject({
      code: 'CREW_FAILED',
      reason: 'no model answered for planner: scripted PROVIDER_FAILED',
    });
  });
});
