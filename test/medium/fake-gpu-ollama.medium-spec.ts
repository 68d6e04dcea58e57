import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startFakeGpuOllama, type FakeGpuOllama } from '../fakes/fake-gpu-ollama.js';
import { fateOf, Gpu, GPU_DEFAULTS } from '../fakes/gpu-model.js';
import { until } from '../e2e/harness.js';

interface Stats {
  calls: number;
  completed: number;
  aborted: number;
  hung: number;
  refused: number;
  concurrent: number;
  maxConcurrent: number;
  tokens: number;
  byDao: Record<string, { calls: number; servedMs: number }>;
}

describe('a card that answers share', () => {
  const settings = { ...GPU_DEFAULTS, tokensPerSecond: 100, slowdown: 0.5, promptOverheadTokens: 0 };

  /** Tokens of the first of `count` answers after two seconds. */
  const madeBeside = (count: number): number => {
    const gpu = new Gpu(settings);
    const all = Array.from({ length: count }, () => gpu.start(0, 1_000));
    for (let step = 0; step < 200; step += 1) gpu.advance(0.01);
    return all[0]?.made ?? 0;
  };

  it('makes each answer slower, and all together faster, the more there are', () => {
    const [one, three, ten] = [madeBeside(1), madeBeside(3), madeBeside(10)];
    expect(one).toBeGreaterThanOrEqual(199);
    expect(three).toBeGreaterThanOrEqual(99);
    expect(three).toBeLessThanOrEqual(100);
    expect(ten).toBeLessThan(three);
    expect(ten * 10).toBeGreaterThan(three * 3);
  });

  it('reads the prompt first', () => {
    const gpu = new Gpu({ ...settings, promptTokensPerSecond: 1_000, promptOverheadTokens: 500 });
    const answer = gpu.start(500, 1_000);
    gpu.advance(1);
    expect(answer.made).toBe(0);
    gpu.advance(1);
    expect(answer.made).toBeGreaterThanOrEqual(99);
  });

  it('gives its time back when an answer is stopped', () => {
    const gpu = new Gpu(settings);
    const [stays, goes] = [gpu.start(0, 1_000), gpu.start(0, 1_000)];
    gpu.stop(goes);
    gpu.advance(1);
    expect(stays.made).toBe(100);
    expect(goes.made).toBe(0);
  });

  it('decides the same fate for the same seed, marker and time, and the same length however often it is asked', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.integer({ min: 1, max: 9 }), (seed, marker, asked) => {
        const own = { ...GPU_DEFAULTS, seed };
        expect(fateOf(own, marker, asked)).toEqual(fateOf(own, marker, asked));
        expect(fateOf(own, marker, asked).tokens).toBe(fateOf(own, marker, 1).tokens);
      }),
    );
  });

  it('draws lengths around its median and hangs as often as it is told', () => {
    const fates = Array.from({ length: 4_000 }, (_, index) => fateOf(GPU_DEFAULTS, `q${index}`, 1));
    const lengths = fates.map(({ tokens }) => tokens).toSorted((a, b) => a - b);
    expect(Math.abs((lengths[2_000] ?? 0) - GPU_DEFAULTS.medianTokens)).toBeLessThan(8);
    expect(lengths.at(-1)).toBeGreaterThan(500);
    const hung = fates.filter(({ kind }) => kind === 'hang').length;
    expect(hung).toBeGreaterThan(2);
    expect(hung).toBeLessThan(30);
  });
});

describe('an Ollama host with a card', () => {
  let fake: FakeGpuOllama;
  const leaving: AbortController[] = [];

  beforeEach(async () => {
    fake = await startFakeGpuOllama({ tokensPerSecond: 2_000, promptOverheadTokens: 0, hangShare: 0, spread: 0 });
  });
  afterEach(async () => {
    for (const one of leaving.splice(0)) one.abort();
    await fake.close();
  });

  const chat = (prompt: string, more: object = {}): Promise<Response> => {
    const leave = new AbortController();
    leaving.push(leave);
    const body = JSON.stringify({ model: 'fake-model', messages: [{ role: 'user', content: prompt }], ...more });
    return fetch(`${fake.url}/api/chat`, { method: 'POST', body, signal: leave.signal });
  };
  const stats = async (): Promise<Stats> => (await (await fetch(`${fake.url}/__stats`)).json()) as Stats;
  const set = (settings: object): Promise<Response> =>
    fetch(`${fake.url}/__control`, { method: 'POST', body: JSON.stringify({ settings }) });

  it('streams an answer, cut where it is told, and books the time on the DAO that the prompt names', async () => {
    const text = await (await chat('Load #q1 dao=green member=tg:1', { options: { num_predict: 7 } })).text();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { done: boolean; done_reason?: string });
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'length', eval_count: 7 });
    const { byDao, ...rest } = await stats();
    expect(rest).toMatchObject({ calls: 1, completed: 1, aborted: 0, concurrent: 0, maxConcurrent: 1, tokens: 7 });
    expect(byDao).toEqual({ green: { calls: 1, completed: 1, aborted: 0, servedMs: expect.any(Number) } });
  });

  it('answers in one piece if it is asked to', async () => {
    const body = (await (await chat('Load #q1', { stream: false })).json()) as { message: { content: string } };
    expect(body.message.content).toContain('#q1');
  });

  it('stops for a caller who leaves, and counts who is there at once', async () => {
    await set({ tokensPerSecond: 10 });
    await Promise.all(['a', 'b', 'c'].map((name) => chat(`Load #${name}`)));
    expect(await stats()).toMatchObject({ concurrent: 3, maxConcurrent: 3 });
    leaving[1]?.abort();
    await until(async () => (await stats()).concurrent === 2, 'the end of the one that was left');
    expect(await stats()).toMatchObject({ aborted: 1, completed: 0, maxConcurrent: 3 });
  });

  it('hangs without a byte until its caller leaves', async () => {
    await set({ hangShare: 1 });
    const answer = chat('Load #q1').catch((error: unknown) => (error as Error).name);
    await until(async () => (await stats()).hung === 1, 'the call');
    leaving[0]?.abort();
    expect(await answer).toBe('AbortError');
    await until(async () => (await stats()).aborted === 1, 'its end');
    expect(await stats()).toMatchObject({ concurrent: 0 });
  });

  it('refuses as a busy Ollama does', async () => {
    await set({ refuseShare: 1 });
    const answer = await chat('Load #q1');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ error: expect.stringContaining('server busy') });
    expect(await stats()).toMatchObject({ refused: 1, calls: 0 });
  });

  it('says what it has and can', async () => {
    const get = async (path: string): Promise<unknown> => (await fetch(fake.url + path)).json();
    expect(await get('/api/tags')).toMatchObject({ models: [{ name: 'fake-model' }, { name: 'other-model' }] });
    expect(await get('/api/version')).toEqual({ version: expect.any(String) });
    const shown = await fetch(`${fake.url}/api/show`, { method: 'POST', body: '{"model":"fake-model"}' });
    expect(await shown.json()).toMatchObject({ capabilities: expect.arrayContaining(['completion']) as unknown });
  });
});
