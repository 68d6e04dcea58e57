import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RoutingRule } from '../src/contracts/routing.js';
import type { Env } from './env.js';
import { buildFromDocument, buildFromText, loadConfig, type LoadedConfig } from './loader.js';
import { profileFile } from './profile-files.js';

const env = (part: Partial<Env> = {}): Env => ({ DAGI_PROFILE: 'dev', ...part }) as Env;

const build = (text: string, part: Partial<Env> = {}, variables: NodeJS.ProcessEnv = {}): LoadedConfig =>
  buildFromText(text, '/p/my.yml', env(part), variables);

const RULE = 'routing_rules: [{name: chat, use_provider: embedded}]';
const hashOf = (text: string, variables: NodeJS.ProcessEnv = {}): string =>
  build(`version: "1"\n${text}`, {}, variables).routing.hash;

/** A profile of one rule. */
const ruleOf = (rest: string, more = ''): string => `version: "1"\nrouting_rules: [{name: a, ${rest}}]\n${more}`;

function chainOf({ use, fallbacks }: RoutingRule): readonly string[] {
  if (use.kind !== 'chain') throw new Error('the request chooses');
  return [...use.providers, ...fallbacks];
}
const chain = (text: string, part: Partial<Env> = {}): readonly string[] => {
  const [rule] = build(text, part).routing.rules;
  return chainOf(rule!);
};

/** The profile that the roadmap prints. */
const ROADMAP = `version: "0.3.0"
environment: production
debug: false
llm_providers:
  - name: llm_prod_qwen3_8b
    type: ollama
    config:
      base_url: http://localhost:11434
      model: qwen3:8b
      max_tokens: 200
      temperature: 0.7
      timeout_ms: 5000
routing_rules:
  - name: "prod_chat"
    priority: 10
    conditions:
      mode: "chat"
    use_provider: "llm_prod_qwen3_8b"
    timeout_ms: 5000
    fallback_provider: "llm_remote_deepseek"
logging:
  level: INFO
  format: json
  rotation:
    max_size_mb: 100
    max_files: 10
`;

describe('the profile of the roadmap', () => {
  it('loads unchanged and routes, with a warning that names the remedy', () => {
    const { warnings, routing, providers, profile, logLevel, guard } = build(ROADMAP);
    expect(warnings).toEqual([
      '/p/my.yml:20:5: routing_rules[0].fallback_provider: "llm_remote_deepseek" is not defined and is skipped: set DEEPSEEK_API_KEY, or define it under llm_providers',
    ]);
    expect(routing.rules).toEqual([
      {
        name: 'prod_chat',
        priority: 10,
        condition: { kind: 'all', of: [{ kind: 'equals', key: 'mode', values: ['chat'] }] },
        use: { kind: 'chain', providers: ['llm_prod_qwen3_8b'] },
        fallbacks: [],
        timeoutMs: 5_000,
      },
    ]);
    expect(providers[0]).toMatchObject({ type: 'ollama', model: 'qwen3:8b', maxTokens: 200, timeoutMs: 5_000 });
    expect(profile.logging).toEqual({ level: 'info', format: 'json', rotation: { max_size_mb: 100, max_files: 10 } });
    expect({ logLevel, guard }).toEqual({
      logLevel: 'info',
      guard: { enabled: true, requests: 1_000, maxChangedShare: 0.2 },
    });
  });

  it('falls back to DeepSeek once its key is set', () => {
    const { warnings, routing } = build(ROADMAP, { DEEPSEEK_API_KEY: 'k' });
    expect(warnings).toEqual([]);
    expect(chainOf(routing.rules[0]!)).toEqual(['llm_prod_qwen3_8b', 'deepseek']);
  });

  it('recognises the questions that need no model, as it says nothing about them', () => {
    const questions = build(ROADMAP).routing.answers.map(({ question }) => question);
    expect(questions).toEqual(['help', 'dao', 'roles']);
    expect(build(`${ROADMAP}answers: []\n`).routing.answers).toEqual([]);
  });
});

describe('rules', () => {
  it('may use providers that only the environment offers, by their older names too', () => {
    const text = ruleOf('use_provider: llm_remote_openai, fallback_provider: [embedded, openai]');
    expect(chain(text, { OPENAI_API_KEY: 'k' })).toEqual(['openai', 'embedded', 'openai']);
    expect(() => build(text)).toThrow('unknown provider "llm_remote_openai"; set OPENAI_API_KEY, or define it');
  });

  it('prefer a provider of the profile to what an older name stands for', () => {
    const own = 'llm_providers: [{name: llm_remote_deepseek, type: ollama}]\n';
    expect(chain(ruleOf('use_provider: llm_remote_deepseek', own), { DEEPSEEK_API_KEY: 'k' })).toEqual([
      'llm_remote_deepseek',
    ]);
  });

  it('expand auto to what the environment offers, as provider and as fallback', () => {
    const offers = { OLLAMA_BASE_URL: 'http://o:1', DEEPSEEK_API_KEY: 'k' };
    expect(chain(ruleOf('use_provider: auto'), offers)).toEqual(['ollama', 'deepseek', 'embedded']);
    const { routing } = build(ruleOf('use_provider: embedded, fallback_provider: [deepseek, auto]'), offers);
    expect(routing.rules[0]?.fallbacks).toEqual(['deepseek', 'ollama', 'embedded']);
  });

  it('take the provider of an alias', () => {
    expect(chain(ruleOf('use_llm: fast', 'llm_aliases: {fast: embedded}'))).toEqual(['embedded']);
  });

  it('let the request choose among those that are allowed', () => {
    const text = ruleOf('use_metadata: provider, allow: [openai, embedded], fallback_provider: embedded');
    const [rule] = build(text, { OPENAI_API_KEY: 'k' }).routing.rules;
    expect(rule).toMatchObject({
      use: { kind: 'metadata', key: 'provider', allow: ['openai', 'embedded'] },
      fallbacks: ['embedded'],
    });
  });

  it('come by priority, those of the same one as in the file', () => {
    const rules = ['c: 20', 'a: 10', 'd: 20', 'b: 10'].map((one) => {
      const [name, priority] = one.split(': ');
      return `{name: ${name}, priority: ${priority}, use_provider: embedded}`;
    });
    const { routing } = build(`version: "1"\nrouting_rules: [${rules.join(', ')}]\n`);
    expect(routing.rules.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(routing).not.toHaveProperty('defaultRule');
  });

  it('may be nothing but a default', () => {
    const { routing } = build('version: "1"\ndefault: {use_provider: embedded, timeout_ms: 9}\n');
    expect(routing.rules).toEqual([]);
    expect(routing.defaultRule).toMatchObject({ name: 'default', condition: { kind: 'all', of: [] }, timeoutMs: 9 });
    expect(chainOf(routing.defaultRule!)).toEqual(['embedded']);
  });

  it('keep answers only where they say so', () => {
    const [rule] = build(ruleOf('use_provider: embedded, cache: {ttl_s: 60}')).routing.rules;
    expect(rule?.cache).toEqual({ ttlMs: 60_000, maxEntries: 100 });
    expect(build(ruleOf('use_provider: embedded')).routing.rules[0]).not.toHaveProperty('cache');
  });
});

describe('conditions', () => {
  const conditionOf = (conditions: string, variables: NodeJS.ProcessEnv = {}): unknown =>
    build(ruleOf(`use_provider: embedded, conditions: {${conditions}}`), {}, variables).routing.rules[0]?.condition;
  const all = (...of: object[]): object => ({ kind: 'all', of });

  it.each([
    ['task_type: [review, 3, true]', { kind: 'equals', key: 'task_type', values: ['review', 3, true] }],
    ['metadata_has: [a, b]', { kind: 'metadata_has', keys: ['a', 'b'] }],
    ['prompt_matches: "^hi$"', { kind: 'prompt_matches', pattern: '^hi$' }],
    ['prompt_length: {min: 3}', { kind: 'prompt_length', min: 3 }],
    ['api_key_available: THE_KEY', { kind: 'api_key_available', variable: 'THE_KEY', available: false }],
    ['not: {mode: chat}', { kind: 'not', of: all({ kind: 'equals', key: 'mode', values: ['chat'] }) }],
    ['or: [{a: 1}, {}]', { kind: 'any', of: [all({ kind: 'equals', key: 'a', values: [1] }), all()] }],
    ['and: [{a: 1}]', { kind: 'all', of: [all({ kind: 'equals', key: 'a', values: [1] })] }],
  ])('compile %s', (text, expected) => {
    expect(conditionOf(text)).toEqual(all(expected));
  });

  it('know which keys are set', () => {
    expect(conditionOf('api_key_available: THE_KEY', { THE_KEY: 'secret' })).toEqual(
      all({ kind: 'api_key_available', variable: 'THE_KEY', available: true }),
    );
  });

  it('are metadata under any other name, with a warning where one of ours is near', () => {
    const { warnings } = build(ruleOf('use_provider: embedded, conditions: {promt_matches: x, tier: gold, model: m}'));
    expect(warnings).toEqual([
      expect.stringMatching(/conditions\.promt_matches: this is compared .*did you mean `prompt_matches`\?$/),
    ]);
  });
});

describe('roles in conditions', () => {
  const warningsOf = (role: string): string[] =>
    build(ruleOf(`use_provider: embedded, conditions: {role: ${role}}`)).warnings;

  it('are taken as they are, with a warning where no DAO begins with such a role', () => {
    expect(warningsOf('[admin, guest]')).toEqual([]);
    expect(warningsOf('admn')).toEqual([
      expect.stringMatching(
        /^\/p\/my\.yml:\d+:\d+: routing_rules\[0\]\.conditions\.role: no default role is called "admn"; did you mean `admin`\?$/,
      ),
    ]);
    expect(warningsOf('[member, treasurer]')).toEqual([
      expect.stringMatching(/role\[1\]: no default role is called "treasurer"; those are admin, /),
    ]);
  });
});

describe('providers', () => {
  const poolsOf = (providers: string, part: Partial<Env> = {}): Record<string, unknown> => {
    const { routing } = build(`version: "1"\nllm_providers: [${providers}]\n${RULE}\n`, part);
    return Object.fromEntries(Object.entries(routing.providers).map(([name, { pool }]) => [name, pool]));
  };

  it('prefer those of the profile to those of the same name from the environment', () => {
    const text = `version: "1"\nllm_providers: [{name: ollama, type: ollama, config: {max_tokens: 7}}]\n${RULE}\n`;
    const { providers } = build(text, { OLLAMA_BASE_URL: 'http://o:1' });
    expect(providers.map(({ name, maxTokens }) => [name, maxTokens])).toEqual([
      ['ollama', 7],
      ['embedded', 160],
    ]);
  });

  it('share the slots of one Ollama host, however its address is written and whatever they speak', () => {
    const pools = poolsOf(
      `{name: a, type: ollama, config: {base_url: "http://localhost:11434", max_waiting: 9}},
       {name: b, type: ollama, config: {base_url: "http://127.0.0.1:11434/", max_concurrent: 2, max_wait_ms: 7}},
       {name: c, type: openai-compatible, config: {base_url: "http://[::1]:11434/v1", max_concurrent: 50}},
       {name: d, type: ollama, config: {base_url: "http://gpu.example."}}`,
      { OLLAMA_BASE_URL: 'http://127.0.0.1:11434' },
    );
    const shared = { name: 'ollama:127.0.0.1:11434', slots: 2, maxWaiting: 9, maxWaitMs: 7 };
    const other = { name: 'ollama:gpu.example:80', slots: 3, maxWaiting: 100, maxWaitMs: 30_000 };
    expect(pools).toEqual({ a: shared, b: shared, c: shared, d: other, ollama: shared, embedded: undefined });
  });

  it('have a pool of their own where they limit their calls', () => {
    const pools = poolsOf('{name: a, type: openai, config: {max_concurrent: 8}}, {name: b, type: openai}');
    expect(pools.a).toEqual({ name: 'provider:a', slots: 8, maxWaiting: 100, maxWaitMs: 30_000 });
    expect(pools.b).toBeUndefined();
  });

  it('have the prices of the profile', () => {
    const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {price: {prompt: 0.15, completion: 0.6}}}]\n${RULE}\n`;
    expect(build(text).routing.providers.a?.price).toEqual({ prompt: 0.15, completion: 0.6 });
  });

  it('warn of a key that is named and not set', () => {
    const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {api_key_env: NO_KEY}}]\n${RULE}\n`;
    expect(build(text).warnings).toEqual([expect.stringContaining('NO_KEY')]);
  });
});

describe('what a profile says beside rules', () => {
  it.each([
    ['', undefined, 'info'],
    ['debug: true', undefined, 'debug'],
    ['debug: true\nlogging: {level: WARN}', undefined, 'debug'],
    ['debug: true\nlogging: {level: trace}', undefined, 'trace'],
    ['logging: {level: ERROR}', undefined, 'error'],
    ['debug: true', 'warn', 'warn'],
  ] as const)('sets the level of the log: %j with DAGI_LOG_LEVEL %s', (text, level, expected) => {
    const part = level === undefined ? {} : { DAGI_LOG_LEVEL: level };
    expect(build(`version: "1"\n${RULE}\n${text}\n`, part).logLevel).toBe(expected);
  });

  it.each([
    ['', false],
    ['environment: staging', true],
    ['environment: production\nguard: {enabled: false}', false],
    ['guard: {enabled: true}', true],
  ])('sets the guard: %j', (text, enabled) => {
    expect(build(`version: "1"\n${RULE}\n${text}\n`).guard.enabled).toBe(enabled);
  });

  it('sets shares and limits of single DAOs', () => {
    const { routing, profile } = build(
      `version: "1"\n${RULE}\ndaos: {big: {weight: 2.5}, small: {requests_per_minute: 3}}\nlimits: {tokens_per_month: {dao: 9}}\n`,
    );
    expect(routing.weights).toEqual({ big: 2.5 });
    expect(profile.daos.small).toEqual({ requests_per_minute: 3 });
    expect(profile.limits).toEqual({
      request_timeout_ms: 120_000,
      session_tokens: 1_000,
      head_start: true,
      open_crew_runs: { person: 20, dao: 200 },
      tokens_per_month: { dao: 9 },
    });
  });
});

describe('the hash', () => {
  it('is the same for the same configuration, in whatever order its keys are written', () => {
    const one = 'routing_rules: [{name: a, priority: 1, conditions: {x: 1, y: 2}, use_provider: embedded}]';
    const other = 'routing_rules: [{use_provider: embedded, conditions: {y: 2, x: 1}, name: a, priority: 1}]';
    expect(hashOf(one)).toBe(hashOf(other));
    expect(hashOf(one)).toMatch(/^[0-9a-f]{16}$/);
    const providers = (...names: string[]): string =>
      `llm_providers: [${names.map((name) => `{name: ${name}, type: ollama}`).join(', ')}]\n${RULE}`;
    expect(hashOf(providers('x', 'y'))).toBe(hashOf(providers('y', 'x')));
  });

  it('differs for every change of a rule, a limit, an answer or a provider', () => {
    const rule = (part: string): string => `routing_rules: [{name: a, use_provider: embedded, ${part}}]`;
    const provider = (part: string): string => `llm_providers: [{name: x, type: ollama, config: {${part}}}]\n${RULE}`;
    const texts = [
      RULE,
      rule('priority: 1'),
      rule('priority: 2'),
      rule('timeout_ms: 9'),
      rule('cache: {ttl_s: 1}'),
      rule('conditions: {mode: chat}'),
      rule('conditions: {mode: crew}'),
      rule('fallback_provider: auto'),
      ...['', 'max_tokens: 9', 'timeout_ms: 9', 'max_attempts: 1', 'retry_delay_ms: 1', 'shape: local'].map(provider),
      ...['model: m', 'temperature: 0', 'top_p: 0.5', 'base_url: "http://other:1"', 'max_concurrent: 1'].map(provider),
      provider('price: {prompt: 1, completion: 1}'),
      `${RULE}\nlimits: {request_timeout_ms: 9}`,
      `${RULE}\nanswers: []`,
      `${RULE}\ndaos: {a: {weight: 2}}`,
      `${RULE}\ndefault: {use_provider: embedded}`,
    ];
    expect(new Set(texts.map((text) => hashOf(text))).size).toBe(texts.length);
    const key = rule('conditions: {api_key_available: THE_KEY}');
    expect(hashOf(key, { THE_KEY: 'a' })).not.toBe(hashOf(key));
    expect(hashOf(key, { THE_KEY: 'a' })).toBe(hashOf(key, { THE_KEY: 'b' }));
  });

  it('and what is handed to routing have no key', () => {
    const { routing, document } = build(`version: "1"\n${RULE}\n`, { OPENAI_API_KEY: 'sk-secret' });
    expect(JSON.stringify({ routing, document })).not.toContain('sk-secret');
  });
});

describe('buildFromDocument', () => {
  const TEXT = `version: "\${V:-1}"\nlimits: {request_timeout_ms: "\${T}"}\n${RULE}\n`;

  it('builds what was kept again, with the variables of now', () => {
    const first = build(TEXT, {}, { T: '5' });
    const kept = JSON.parse(JSON.stringify(first.document)) as Record<string, unknown>;
    expect(kept).toMatchObject({ version: '${V:-1}', limits: { request_timeout_ms: '${T}' } });
    const again = buildFromDocument(kept, env(), { T: '5' });
    expect(again.routing).toEqual(first.routing);
    expect(again.document).toEqual(first.document);
    expect(buildFromDocument(kept, env(), { T: '6' }).routing.requestTimeoutMs).toBe(6);
  });

  it('refuses what cannot be built any more, saying that it was kept', () => {
    const { document } = build(TEXT, {}, { T: '5' });
    expect(() => buildFromDocument(document, env(), {})).toThrow(
      /^profile as kept: limits\.request_timeout_ms: the variable T is not set/,
    );
  });
});

describe('loadConfig', () => {
  it('takes a bare name for a profile that comes along, and anything else for a path', () => {
    expect(profileFile('dev')).toMatch(/config[/\\]profiles[/\\]dev\.yml$/);
    expect(profileFile('mine.yml')).toBe(resolve('mine.yml'));
    expect(profileFile('./mine')).toBe(resolve('mine'));
    expect(profileFile('/etc/mine.conf')).toBe('/etc/mine.conf');
  });

  it('names the profiles that there are to whoever asks for another', () => {
    expect(() => loadConfig(env({ DAGI_PROFILE: 'stagin' }))).toThrow(
      'There is no profile "stagin". Choose one of dev, prod, staging, or a file; did you mean `staging`?',
    );
  });

  it('says that a file is not there, or why it cannot be read', () => {
    expect(() => loadConfig(env(), '/no/such.yml')).toThrow(/^\/no\/such\.yml: the file is not there: put it there/);
    expect(() => loadConfig(env(), tmpdir())).toThrow(`${tmpdir()}: the file cannot be read (EISDIR)`);
  });

  it('finds variables and keys in a .env file', () => {
    const before = process.cwd();
    const folder = mkdtempSync(join(tmpdir(), 'dagi-profile-'));
    const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {api_key_env: MY_DOTENV_KEY, model: "\${MY_MODEL}"}}]\n${RULE}\n`;
    writeFileSync(join(folder, 'mine.yml'), text);
    writeFileSync(join(folder, '.env'), 'MY_DOTENV_KEY=from-file\nMY_MODEL=m\n');
    process.chdir(folder);
    try {
      const config = loadConfig(env(), './mine.yml');
      expect(config.providers[0]).toMatchObject({ apiKey: 'from-file', model: 'm' });
      expect(config.file).toBe(join(process.cwd(), 'mine.yml'));
      expect(config.files).toEqual([config.file, profileFile('base')]);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });
});
