import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Env } from './env.js';
import { buildConfig, loadConfig, parseProfile, profileFile, type LoadedConfig } from './loader.js';

const env = (part: Partial<Env> = {}): Env => ({ DAGI_PROFILE: 'dev', ...part }) as Env;

const build = (text: string, part: Partial<Env> = {}): LoadedConfig =>
  buildConfig(parseProfile(text, 'my.yml'), env(part), {});

const RULE = 'routing_rules: [{name: chat, use_provider: embedded}]';
const hashOf = (text: string): string => build(`version: "1"\n${text}`).routing.hash;

/** The profile that the roadmap prints. */
const PROD = `version: "0.3.0"
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

describe('parseProfile', () => {
  it.each([
    ['a key that is not known', `version: "1"\n# note\nverison: "1"\n${RULE}\n`, 3, 'verison'],
    [
      'a key of a rule that is not known',
      `version: "1"\nrouting_rules:\n  - name: a\n    use_providr: b\n    use_provider: embedded\n`,
      4,
      'use_providr',
    ],
    [
      'a missing key',
      `version: "1"\nrouting_rules:\n  - name: ok\n    use_provider: embedded\n  - name: a\n`,
      5,
      'routing_rules.1.use_provider',
    ],
    [
      'a value of the wrong kind',
      `version: "1"\n${RULE}\nlimits:\n  request_timeout_ms: soon\n`,
      4,
      'limits.request_timeout_ms',
    ],
    [
      'a mode that is not known',
      `version: "1"\nrouting_rules:\n  - name: a\n    conditions:\n      mode: [chat, chatt]\n    use_provider: embedded\n`,
      5,
      'unknown mode "chatt"',
    ],
    [
      'a provider that is defined twice',
      `version: "1"\nllm_providers:\n  - {name: a, type: ollama}\n  - {name: a, type: openai}\n${RULE}\n`,
      4,
      'defined twice',
    ],
    ['no rules', 'version: "1"\nrouting_rules: []\n', 2, 'routing_rules'],
    [
      'an address that is none',
      `version: "1"\nllm_providers:\n  - name: a\n    type: ollama\n    config: {base_url: "file:///etc"}\n${RULE}\n`,
      5,
      'base_url',
    ],
    ['broken YAML', 'version: "1"\nrouting_rules:\n  - name: [a\n', 4, ''],
    ['a key twice', `version: "1"\nversion: "2"\n${RULE}\n`, 2, 'unique'],
    ['an alias of nothing', `version: "1"\nenvironment: *none\n${RULE}\n`, 1, 'alias'],
    ['an empty file', '', 1, 'object'],
    ['a list', '- a\n', 1, 'object'],
  ])('refuses %s with file, line and reason', (_what, text, line, reason) => {
    const refusal = (): unknown => parseProfile(text, 'my.yml');
    expect(refusal).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(refusal).toThrow(new RegExp(`^my\\.yml:${line}: .*`));
    expect(refusal).toThrow(reason);
  });

  it('refuses a file whose aliases multiply', () => {
    const list = (name: string, of: string): string => `${name}: &${name} [${Array(20).fill(of).join(', ')}]\n`;
    const bomb = list('a', 'x') + list('b', '*a') + list('c', '*b') + list('d', '*c') + list('e', '*d');
    expect(() => parseProfile(bomb, 'my.yml')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('has no place for a key in clear', () => {
    const text = `version: "1"\nllm_providers:\n  - {name: a, type: openai, config: {api_key: sk-1}}\n${RULE}\n`;
    expect(() => parseProfile(text, 'my.yml')).toThrow('api_key');
    expect(() => parseProfile(text, 'my.yml')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('sk-1') }),
    );
  });
});

describe('buildConfig', () => {
  it('loads the profile of the roadmap, with a warning for the fallback that is not there', () => {
    const { warnings, routing, providers, profile } = build(PROD);
    expect(warnings).toEqual([
      'rule "prod_chat": fallback_provider "llm_remote_deepseek" is not defined and is skipped',
    ]);
    expect(routing.rules).toEqual([
      { name: 'prod_chat', priority: 10, conditions: { mode: 'chat' }, chain: ['llm_prod_qwen3_8b'], timeoutMs: 5_000 },
    ]);
    expect(providers[0]).toMatchObject({ type: 'ollama', model: 'qwen3:8b', maxTokens: 200, timeoutMs: 5_000 });
    expect(profile.logging).toMatchObject({
      level: 'info',
      format: 'json',
      rotation: { max_size_mb: 100, max_files: 10 },
    });
  });

  it('warns of keys that have no effect', () => {
    const text = `version: "1"\ndebug: true\nlogging: {format: pretty, rotation: {max_files: 3}}\n${RULE}\n`;
    expect(build(text).warnings).toEqual([expect.stringContaining('debug'), expect.stringContaining('pretty')]);
  });

  it('warns of a key that is named and not set', () => {
    const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {api_key_env: NO_KEY}}]\n${RULE}\n`;
    expect(build(text).warnings).toEqual([expect.stringContaining('NO_KEY')]);
  });

  it('refuses a rule of an unknown provider with file, line and name', () => {
    const text = `version: "1"\nrouting_rules:\n  - name: ok\n    use_provider: embedded\n  - name: odd\n    use_provider: nobody\n`;
    expect(() => build(text)).toThrow('my.yml:6: rule "odd" uses the unknown provider "nobody"');
  });

  it('lets rules use providers that only the environment offers', () => {
    const text = 'version: "1"\nrouting_rules: [{name: a, use_provider: openai, fallback_provider: [embedded]}]\n';
    expect(build(text, { OPENAI_API_KEY: 'k' }).routing.rules[0]?.chain).toEqual(['openai', 'embedded']);
    expect(() => build(text)).toThrow('unknown provider "openai"');
  });

  it('expands auto to what the environment offers, as provider and as fallback, each once', () => {
    const rule = (rest: string): string => `version: "1"\nrouting_rules: [{name: a, ${rest}}]\n`;
    const offers = { OLLAMA_BASE_URL: 'http://o:1', DEEPSEEK_API_KEY: 'k' };
    const chain = (rest: string): unknown => build(rule(rest), offers).routing.rules[0]?.chain;
    expect(chain('use_provider: auto')).toEqual(['ollama', 'deepseek', 'embedded']);
    expect(chain('use_provider: embedded, fallback_provider: auto')).toEqual(['embedded', 'ollama', 'deepseek']);
    expect(chain('use_provider: auto, fallback_provider: [ollama, embedded]')).toEqual([
      'ollama',
      'deepseek',
      'embedded',
    ]);
  });

  it('prefers a provider of the profile to one of the same name from the environment', () => {
    const text = `version: "1"\nllm_providers: [{name: ollama, type: ollama, config: {max_tokens: 7}}]\n${RULE}\n`;
    const { providers } = build(text, { OLLAMA_BASE_URL: 'http://o:1' });
    expect(providers.map(({ name, maxTokens }) => [name, maxTokens])).toEqual([
      ['ollama', 7],
      ['embedded', 160],
    ]);
  });

  it('orders rules by priority, those of the same one as in the file', () => {
    const rules = ['c: 20', 'a: 10', 'd: 20', 'b: 10'].map((one) => {
      const [name, priority] = one.split(': ');
      return `{name: ${name}, priority: ${priority}, use_provider: embedded}`;
    });
    const { routing } = build(`version: "1"\nrouting_rules: [${rules.join(', ')}]\n`);
    expect(routing.rules.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps no key in what is hashed and handed to routing', () => {
    const { routing } = build(`version: "1"\n${RULE}\n`, { OPENAI_API_KEY: 'sk-secret' });
    expect(JSON.stringify(routing)).not.toContain('sk-secret');
  });

  it('hashes the same configuration alike, in whatever order its keys are written', () => {
    const one =
      'routing_rules: [{name: a, priority: 1, conditions: {mode: chat, source: web}, use_provider: embedded}]';
    const other =
      'routing_rules: [{use_provider: embedded, conditions: {source: web, mode: chat}, name: a, priority: 1}]';
    expect(hashOf(one)).toBe(hashOf(other));
    expect(hashOf(one)).toMatch(/^[0-9a-f]{16}$/);
    const providers = (...names: string[]): string =>
      `llm_providers: [${names.map((name) => `{name: ${name}, type: ollama}`).join(', ')}]\n${RULE}`;
    expect(hashOf(providers('x', 'y'))).toBe(hashOf(providers('y', 'x')));
  });

  it('hashes every change of a rule, a limit or a provider differently', () => {
    const rule = (part: string): string => `routing_rules: [{name: a, use_provider: embedded, ${part}}]`;
    const provider = (part: string): string => `llm_providers: [{name: x, type: ollama, config: {${part}}}]\n${RULE}`;
    const texts = [
      RULE,
      rule('priority: 1'),
      rule('priority: 2'),
      rule('timeout_ms: 9'),
      rule('conditions: {mode: chat}'),
      rule('conditions: {mode: [chat]}'),
      provider(''),
      provider('max_tokens: 9'),
      provider('timeout_ms: 9'),
      provider('max_attempts: 1'),
      provider('retry_delay_ms: 1'),
      provider('shape: local'),
      `${RULE}\nlimits: {request_timeout_ms: 9}`,
    ];
    expect(new Set(texts.map(hashOf)).size).toBe(texts.length);
  });
});

describe('profileFile', () => {
  it('takes a bare name for a profile that comes along, and anything else for a path', () => {
    expect(profileFile('dev')).toMatch(/config[/\\]profiles[/\\]dev\.yml$/);
    expect(profileFile('mine.yml')).toBe(resolve('mine.yml'));
    expect(profileFile('./mine')).toBe(resolve('mine'));
    expect(profileFile('/etc/mine.conf')).toBe('/etc/mine.conf');
  });
});

describe('loadConfig', () => {
  it('loads the profile for development, which answers chats with whatever there is', () => {
    const { routing, warnings, providers } = loadConfig(env());
    expect(routing.rules).toEqual([{ name: 'chat', priority: 100, conditions: { mode: 'chat' }, chain: ['embedded'] }]);
    expect(routing.requestTimeoutMs).toBe(120_000);
    expect(providers.map(({ name }) => name)).toEqual(['embedded']);
    expect(warnings).toEqual([]);
  });

  it('names the profiles that there are to whoever asks for another', () => {
    expect(() => loadConfig(env({ DAGI_PROFILE: 'nope' }))).toThrow(/no profile "nope".*dev/);
  });

  it('finds the key that a provider names in a .env file', () => {
    const before = process.cwd();
    const folder = mkdtempSync(join(tmpdir(), 'dagi-profile-'));
    const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {api_key_env: MY_DOTENV_KEY}}]\n${RULE}\n`;
    writeFileSync(join(folder, 'mine.yml'), text);
    writeFileSync(join(folder, '.env'), 'MY_DOTENV_KEY=from-file\n');
    process.chdir(folder);
    try {
      expect(loadConfig(env(), './mine.yml').providers[0]?.apiKey).toBe('from-file');
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });

  it('loads a file by its path, and names it in errors', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dagi-profile-'));
    const file = join(folder, 'mine.yml');
    writeFileSync(file, PROD);
    expect(loadConfig(env(), file).routing.rules[0]?.name).toBe('prod_chat');
    writeFileSync(file, 'version: 1\n');
    expect(() => loadConfig(env(), file)).toThrow(`${file}:1: `);
    rmSync(folder, { recursive: true });
  });
});
