import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readEnv } from '../../config/env.js';
import { checkConfig } from './config-check.js';
import { explainLocally, explainThere, readQuestion } from './config-explain.js';
import { explanationText } from './config-explain-text.js';
import type { DagiClient } from './client.js';

const PROFILE = `
version: '1'
environment: staging
llm_providers:
  - name: fast
    type: openai-compatible
    config: { base_url: 'http://127.0.0.1:9/v1', model: small }
  - name: strong
    type: openai-compatible
    config: { base_url: 'http://127.0.0.1:9/v1', model: large }
routing_rules:
  - name: chat
    priority: 100
    conditions: { mode: chat }
    use_provider: fast
    fallback_provider: [strong, not-there]
    timeout_ms: 9000
  - name: legal
    priority: 10
    conditions: { task_type: [legal, finance], metadata_has: [proposal_id] }
    use_provider: strong
  - name: chosen
    priority: 20
    conditions: { role: admin }
    use_metadata: provider
    allow: [strong]
daos:
  greenfood-dao: { weight: 2 }
`;

describe('dagi config', () => {
  const env = readEnv({});
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-test-config-'));
    file = join(folder, 'profile.yml');
    await writeFile(file, PROFILE);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describe('check', () => {
    it('prints rules in the order in which they are tried, warnings and the hash', () => {
      const { ok, text } = checkConfig(env, file, false);
      expect(ok).toBe(true);
      const rules = text.split('\n').filter((line) => /^\d/.test(line));
      expect(rules.map((line) => line.split(/ {2,}/).slice(1))).toEqual([
        ['legal', '10', 'metadata has proposal_id and metadata task_type in legal, finance', 'strong', '-', '-', '-'],
        ['chosen', '20', 'role = admin', 'metadata provider: strong', '-', '-', '-'],
        ['chat', '100', 'mode = chat', 'fast', 'strong', '9000 ms', '-'],
      ]);
      expect(text).toMatch(
        /^warning: .*profile\.yml:\d+:\d+: routing_rules\[0\]\.fallback_provider\[1\]: "not-there"/m,
      );
      expect(text).toMatch(/^greenfood-dao +2$/m);
      expect(text).toMatch(/\nOK: 3 rules, 1 warning, config [0-9a-f]{16}, table [0-9a-f]{16}\n$/);
      expect(text.split('\n').every((line) => line.length < 200 || line.startsWith('warning'))).toBe(true);
    });

    it('says all that is wrong with a file, a line each', async () => {
      const bad = join(folder, 'bad.yml');
      await writeFile(bad, PROFILE.replace('use_provider: fast', 'use_provider: fsat').replace('[strong]', '[strnog]'));
      const { ok, text } = checkConfig(env, bad, false);
      expect(ok).toBe(false);
      const lines = text.trim().split('\n');
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line).toMatch(/bad\.yml:\d+:\d+: .*(fsat|strnog).*/);
      expect(JSON.parse(checkConfig(env, bad, true).text)).toEqual({ ok: false, errors: lines });
    });

    it('gives the same to machines', () => {
      const told = JSON.parse(checkConfig(env, file, true).text) as Record<string, unknown>;
      expect([told.hash, told.config_hash]).toEqual(Array(2).fill(expect.stringMatching(/^[0-9a-f]{16}$/)));
      expect(told.hash).not.toBe(told.config_hash);
      expect(told).toMatchObject({ ok: true, rules: [{ name: 'legal' }, {}, {}], providers: expect.any(Array) });
    });
  });

  describe('explain with a profile', () => {
    const text = (body: object): string => explanationText(explainLocally(env, file, readQuestion(body)));

    it('says which rule wins, and why each other does not', () => {
      const lines = text({ prompt: 'Hello', metadata: { task_type: 'legal' } })
        .trimEnd()
        .split('\n');
      expect(lines[0]).toMatch(/^request {4}mode chat in greenfood-dao, by member, under table [0-9a-f]{16}$/);
      expect(lines.slice(1)).toEqual([
        'access     chat.write is needed and granted',
        'decision   rule chat: fast (9000 ms) → strong (9000 ms), all within 120000 ms',
        '',
        ' 1 · legal   priority 10: condition failed, leads to strong',
        '       metadata has no key proposal_id',
        ' 2 · chosen  priority 20: condition failed',
        '       role is member, wanted one of admin',
        '       metadata has no key provider that names a provider, allowed: strong',
        ' 3 ✓ chat    priority 100: taken, leads to fast → strong',
      ]);
    });

    it('says that a guest is refused, and which rule would have taken the request', () => {
      const told = text({ prompt: 'Write a poem', roles: ['guest'] });
      expect(told).toContain('access     chat.write is needed and not granted\n');
      expect(told).toContain('decision   refused: RBAC_PERMISSION_DENIED\n');
      expect(told).toContain(' 3 ✓ chat    priority 100: would take it, leads to fast → strong\n');
    });

    it('says what is answered without a model', () => {
      expect(text({ prompt: '/help', roles: ['guest'] })).toContain(
        'known as   help: can be answered without a model\ndecision   answered from the database, without a model\n',
      );
    });

    it('takes the bodies that /route takes, and none that it does not', () => {
      expect(readQuestion({ message: 'Hi', payload: { dao_id: 'a', x: 1 } }).about).toMatchObject({
        prompt: 'Hi',
        daoId: 'a',
        metadata: { x: 1 },
      });
      expect(readQuestion({}).about.prompt).toBe('');
      expect(() => readQuestion({ mode: 'poem' })).toThrow('mode: ');
      expect(() => readQuestion([])).toThrow('does not fit');
      expect(() => readQuestion({ role: 'guest' })).toThrow('role: unknown key; did you mean `roles`?');
      expect(() => readQuestion({ promt: 'Hi' })).toThrow('promt: unknown key; did you mean `prompt`?');
      expect(readQuestion({ prompt: 'Hi', zebra: true })).toMatchObject({ ignored: ['zebra'] });
      expect(() => text({ roles: ['boss'] })).toThrow('There is no role "boss"');
    });
  });

  describe('explain without a profile', () => {
    const told = (): object => ({ ok: true, ...explainLocally(env, file, readQuestion({ prompt: 'Hello' })) });
    const asking = (answer: unknown) => {
      const json = jest.fn<DagiClient['json']>().mockResolvedValue(answer);
      return { json, client: { json } as unknown as DagiClient };
    };

    it('asks the instance with the same body, as a query', async () => {
      const { json, client } = asking(told());
      const body = { prompt: 'a & b?', source: 'telegram', metadata: { user_id: 'tg:1', n: 1 } };
      await expect(explainThere(client, readQuestion(body))).resolves.toMatchObject({ decision: { rule: 'chat' } });
      const [method, path] = json.mock.calls[0]!;
      expect(method).toBe('GET');
      const url = new URL(path, 'http://x');
      expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual([
        '/routing/explain',
        {
          mode: 'chat',
          prompt: 'a & b?',
          source: 'telegram',
          user_id: 'tg:1',
          metadata: '{"user_id":"tg:1","n":1}',
        },
      ]);
    });

    it('sends nothing that the instance could not understand', async () => {
      const { json, client } = asking(told());
      await expect(explainThere(client, readQuestion({ roles: ['admin'] }))).rejects.toThrow('--profile');
      await expect(explainThere(client, readQuestion({ prompt: 'слово '.repeat(500) }))).rejects.toThrow('--profile');
      expect(json).not.toHaveBeenCalled();
    });

    it('does not print what it does not know', async () => {
      await expect(explainThere(asking({ rules: 'x' }).client, readQuestion({}))).rejects.toMatchObject({
        code: 'BAD_ANSWER',
      });
    });
  });
});
