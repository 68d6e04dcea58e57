import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ProviderHealth } from '../contracts/health.js';
import { AppError } from '../errors/app-error.js';
import { HealthService, type Dependency } from './health.service.js';

const well = (name: string): Dependency => ({ name, check: () => Promise.resolve() });
const ill = (name: string, error: Error): Dependency => ({ name, check: () => Promise.reject(error) });
const up: ProviderHealth = { name: 'embedded', ok: true, ms: 3 };
const down: ProviderHealth = { name: 'ollama', ok: false, ms: 4, reason: 'refused' };

interface Parts {
  dependencies?: Dependency[];
  providers?: ProviderHealth[];
  asked?: (names: readonly string[]) => Promise<ProviderHealth[]>;
  polling?: string[];
  warnings?: string[];
}

const service = ({ dependencies, providers, asked, polling, warnings }: Parts = {}): HealthService =>
  new HealthService(
    dependencies ?? [well('database'), well('temporal')],
    () => ['embedded', 'ollama'],
    asked ?? (() => Promise.resolve(providers ?? [up])),
    () => polling ?? ['orchestrator'],
    () => warnings ?? [],
  );

describe('HealthService', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is ready when database, Temporal, worker and a provider are there', async () => {
    expect(await service({ warnings: ['odd'] }).readiness()).toEqual({
      ready: true,
      dependencies: {
        database: { ok: true, ms: expect.any(Number) },
        temporal: { ok: true, ms: expect.any(Number) },
        worker: { ok: true, ms: expect.any(Number) },
        'provider/embedded': { ok: true, ms: 3 },
      },
      warnings: ['odd'],
    });
  });

  it('is not ready without one of its dependencies, and says why', async () => {
    const away = new AppError('STORE_UNAVAILABLE', 'the database is away');
    const state = await service({ dependencies: [ill('database', away), well('temporal')] }).readiness();
    expect(state.ready).toBe(false);
    expect(state.dependencies).toMatchObject({
      database: { ok: false, reason: 'the database is away' },
      temporal: { ok: true },
    });
  });

  it('is not ready without a worker of the main queue', async () => {
    const state = await service({ polling: ['llm-ollama'] }).readiness();
    expect(state).toMatchObject({ ready: false, dependencies: { worker: { ok: false } } });
    expect(state.dependencies.worker?.reason).toContain('no worker');
  });

  it('is ready with one provider of several, and tells of all', async () => {
    const state = await service({ providers: [down, up] }).readiness();
    expect(state.ready).toBe(true);
    expect(state.dependencies['provider/ollama']).toEqual({ ok: false, ms: 4, reason: 'does not answer' });
  });

  it('tells nobody where a provider is and what it said', async () => {
    const reason = 'ollama at http://10.0.0.7:11434 refused the API key (HTTP 401)';
    const state = await service({ providers: [{ ...down, reason }] }).readiness();
    expect(JSON.stringify(state)).not.toMatch(/http|10\.0|401|key/i);
  });

  it('asks only providers to which rules lead, once for all who ask within five seconds', async () => {
    jest.useFakeTimers();
    const asked = jest.fn((_names: readonly string[]) => Promise.resolve([up]));
    const health = service({ asked });
    const both = await Promise.all([health.readiness(), health.readiness()]);
    expect(both.map(({ ready }) => ready)).toEqual([true, true]);
    expect(asked.mock.calls).toEqual([[['embedded', 'ollama']]]);
    jest.advanceTimersByTime(4_999);
    await health.readiness();
    expect(asked).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1);
    asked.mockResolvedValue([down]);
    expect(await health.readiness()).toMatchObject({ ready: false });
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('follows the configuration: providers of now, warnings of now', async () => {
    let [routed, warnings] = [['embedded'], ['one']];
    const asked = jest.fn((names: readonly string[]) => Promise.resolve(names.map((name) => ({ ...up, name }))));
    const health = new HealthService(
      [],
      () => routed,
      asked,
      () => ['orchestrator'],
      () => warnings,
    );
    expect((await health.readiness()).warnings).toEqual(['one']);
    [routed, warnings] = [['ollama'], []];
    const now = await health.readiness();
    expect(now.warnings).toEqual([]);
    expect(Object.keys(now.dependencies)).toEqual(['worker', 'provider/ollama']);
  });

  it.each([[[]], [[down]]])('is not ready with the providers %j', async (providers) => {
    expect((await service({ providers }).readiness()).ready).toBe(false);
  });

  it('gives a dependency two seconds and goes on without it', async () => {
    jest.useFakeTimers();
    const silent: Dependency = { name: 'database', check: () => new Promise(() => undefined) };
    const state = service({ dependencies: [silent] }).readiness();
    await jest.advanceTimersByTimeAsync(1_999);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await state).toMatchObject({
      ready: false,
      dependencies: { database: { ok: false, ms: 2_000, reason: 'no answer within 2000 ms' } },
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('asks all dependencies at once', async () => {
    const asked: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const waits = (name: string): Dependency => ({
      name,
      check: () => {
        asked.push(name);
        return held;
      },
    });
    const state = service({ dependencies: [waits('a'), waits('b')] }).readiness();
    expect(asked).toEqual(['a', 'b']);
    release();
    expect((await state).ready).toBe(true);
  });

  it('survives a check that throws what is no error, or throws at once', async () => {
    const thrower: Dependency = {
      name: 'temporal',
      check: () => {
        throw new Error('at once');
      },
    };
    const state = await service({ dependencies: [ill('database', 'text' as unknown as Error), thrower] }).readiness();
    expect(state.dependencies).toMatchObject({
      database: { ok: false, reason: 'failed' },
      temporal: { ok: false, reason: 'at once' },
    });
  });
});
