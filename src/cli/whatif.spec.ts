import { PassThrough } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnv } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import type { ReportStream } from '../adapters/supply/reporter.js';
import type { DagiClient } from './client.js';
import { whatIf, type WhatIfOptions } from './whatif.js';
import type { TrialOffer } from './whatif-answer.js';

const ENV = readEnv({ DAGI_HOME: '/nowhere' });
const REPORT = {
  hash: 'table',
  requests: 10,
  unchanged: 9,
  changed: 1,
  newly_allowed: 0,
  newly_denied: 0,
  undecidable: 0,
  groups: [],
  took_ms: 1,
};
const OFFER: TrialOffer = {
  request_id: 'old',
  dao_id: 'greenfood-dao',
  provider: 'other',
  runnable: true,
  is_new: false,
};
const body = (provider: string, text: string): object => ({
  ok: true,
  status: 'completed',
  provider,
  data: { text },
  usage: { prompt_tokens: 10, completion_tokens: 5, cost_usd: 0.5 },
  timings_ms: { llm: 1_200, total: 1_300 },
});

describe('dagi whatif', () => {
  let folder: string;
  let profile: string;
  let calls: [string, string, unknown][];
  let answers: Record<string, unknown>;
  let printed: string;
  let remarks: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-test-whatif-'));
    profile = join(folder, 'new.yml');
    writeFileSync(profile, 'version: "1"\nrouting_rules: [{name: chat, use_provider: embedded}]\n');
    calls = [];
    printed = remarks = '';
    answers = { 'GET /config': state('0000'), 'POST /routing/whatif': { ...REPORT, trials: [] } };
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const state = (hash: string, file = '/on/another/machine.yml'): object => ({
    active: { hash: 'aaaa', table_hash: hash, since: 'then', file },
    waiting: null,
    refused: null,
    unchecked: false,
    reloads: { applied: 0, refused: 0, held: 0, unchanged: 0 },
    warnings: [],
  });

  function answer(method: string, path: string, sent: unknown): unknown {
    calls.push([method, path, sent]);
    const key = `${method} ${path}`;
    if (!(key in answers)) throw new Error(`unexpected ${key}`);
    return answers[key];
  }

  const client = {
    json: async (method: string, path: string, { body: sent }: { body?: unknown } = {}) => answer(method, path, sent),
    call: async (method: string, path: string, { body: sent }: { body?: unknown } = {}) => {
      const given = answer(method, path, sent);
      return { status: (given as { ok?: boolean }).ok === false ? 503 : 200, body: given };
    },
  } as unknown as DagiClient;

  async function run(changes: Partial<WhatIfOptions> = {}): Promise<void> {
    const err: ReportStream = new PassThrough();
    err.on('data', (chunk: Buffer) => (remarks += chunk.toString()));
    const options = { profile, since: 60_000, limit: 500, run: 0, yes: false, json: false, ...changes };
    await whatIf(client, ENV, options, { out: (text) => (printed += text), err, width: 100 });
  }

  it('sends the compiled table, and prints the report', async () => {
    await run();
    const sent = calls.find(([, path]) => path === '/routing/whatif')?.[2] as Record<string, unknown>;
    expect(sent).toMatchObject({ limit: 500, trials: 0, table: loadConfig(ENV, profile).routing });
    expect(Date.now() - Date.parse(String(sent.since))).toBeLessThan(70_000);
    expect(printed).toContain('10 recorded requests');
    expect(JSON.stringify(sent)).not.toContain(folder);
    expect(remarks).toBe('');
  });

  it('asks nobody for a profile that is bad', async () => {
    writeFileSync(profile, 'version: "1"\n');
    await expect(run()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(calls).toEqual([]);
  });

  it('warns where the running profile means something else here than there', async () => {
    const active = join(folder, 'active.yml');
    writeFileSync(active, 'version: "1"\nrouting_rules: [{name: chat, use_provider: auto}]\n');
    answers['GET /config'] = state('0000', active);
    await run();
    expect(remarks).toContain('gives something else here than in the instance');
    remarks = '';
    answers['GET /config'] = state(loadConfig(ENV, active).routing.hash, active);
    await run();
    expect(remarks).toBe('');
  });

  it('tries requests and shows both answers', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [OFFER] };
    answers['POST /routing/whatif/trials'] = { request_id: 'new' };
    answers['GET /requests/old'] = body('first', 'the recorded answer');
    answers['GET /requests/new'] = body('other', 'the other answer');
    await run({ run: 1 });
    expect(calls).toContainEqual(['POST', '/routing/whatif/trials', { request_id: 'old', provider: 'other' }]);
    expect(remarks).toContain('prompts of recorded requests go to: other');
    const row = printed.split('\n').find((line) => line.includes('the recorded answer'));
    expect(row).toContain('the other answer');
    expect(printed).toMatch(/recorded: first +│ what if: other\n1\.2 s · 10 \+ 5 tokens · \$0\.5000/);
  });

  it('asks nobody before somebody has agreed that a provider sees a DAO’s words for the first time', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [OFFER, { ...OFFER, is_new: true }] };
    await expect(run({ run: 2 })).rejects.toMatchObject({
      code: 'CONSENT_NEEDED',
      message: expect.stringContaining('other has never answered a request of greenfood-dao') as unknown,
    });
    expect(calls.map(([method, path]) => `${method} ${path}`)).toEqual(['GET /config', 'POST /routing/whatif']);
    expect(printed).toContain('10 recorded requests');
    answers['POST /routing/whatif/trials'] = { request_id: 'old' };
    answers['GET /requests/old'] = body('first', 'text');
    await run({ run: 2, yes: true });
    expect(calls.filter(([, path]) => path === '/routing/whatif/trials')).toHaveLength(2);
  });

  it('says which provider cannot be asked here', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [{ ...OFFER, runnable: false, is_new: true }] };
    await run({ run: 1 });
    expect(printed).toContain('not runnable here: add other to the running profile');
    expect(remarks).not.toContain('prompts');
  });

  it('shows a trial that failed with its reason', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [OFFER] };
    answers['POST /routing/whatif/trials'] = { request_id: 'new' };
    answers['GET /requests/old'] = body('first', 'the recorded answer');
    const error = { code: 'PROVIDER_FAILED', message: 'No model could answer.' };
    answers['GET /requests/new'] = { ok: false, status: 'failed', error, timings_ms: {} };
    await run({ run: 1 });
    expect(printed).toContain('PROVIDER_FAILED: No model');
  });

  it('goes on where a trial was not accepted', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [OFFER, OFFER] };
    answers['GET /requests/old'] = body('first', 'the recorded answer');
    answers['POST /routing/whatif/trials'] = { ok: false, error: { code: 'QUEUE_FULL', message: 'Too many wait.' } };
    await run({ run: 2 });
    expect(printed.match(/QUEUE_FULL: Too many wait/g)).toHaveLength(2);
  });

  it('prints everything as JSON, and nothing else', async () => {
    answers['POST /routing/whatif'] = { ...REPORT, trials: [{ ...OFFER, runnable: false }] };
    await run({ run: 1, json: true });
    expect(JSON.parse(printed)).toMatchObject({ requests: 10, trials: [{ offer: { request_id: 'old' } }] });
  });

  it('says so where there is nothing to try', async () => {
    await run({ run: 3 });
    expect(remarks).toContain('no request that would change');
  });
});
