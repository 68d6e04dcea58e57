import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from './env.js';
import { buildFromText, loadConfig, type LoadedConfig } from './loader.js';
import { profileFile } from './profile-files.js';

const env = { DAGI_PROFILE: 'dev' } as Env;
const RULE = 'routing_rules: [{name: chat, use_provider: embedded}]\n';

describe('extends', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-extends-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const load = (name: string): LoadedConfig => loadConfig(env, join(folder, name));

  it('reads a file beside the own one, and its base in turn, and tells which', () => {
    const deepest = write('common/deepest.yml', `version: "1"\n${RULE}answers: []\nlimits: {session_tokens: 1}\n`);
    const middle = write('common/middle.yml', 'extends: deepest.yml\nlimits: {session_tokens: 2}\n');
    const own = write('own.yml', 'extends: common/middle.yml\nlimits: {request_timeout_ms: 3}\n');
    const { files, file, profile, document } = load('own.yml');
    expect({ file, files }).toEqual({ file: own, files: [own, middle, deepest] });
    expect(profile.limits).toMatchObject({ request_timeout_ms: 3, session_tokens: 2 });
    expect(document).not.toHaveProperty('extends');
  });

  it('takes a bare name for a profile that comes along', () => {
    write('own.yml', 'extends: dev\nversion: "9"\n');
    const { files, profile } = load('own.yml');
    expect(files).toEqual([join(folder, 'own.yml'), profileFile('dev'), profileFile('base')]);
    expect(profile).toMatchObject({ version: '9', routing_rules: [{ name: 'chat', use_provider: 'auto' }] });
  });

  it('replaces rules, providers and answers of the same name as a whole, in their place, and adds the others', () => {
    write(
      'base.yml',
      `version: "1"
routing_rules:
  - {name: a, use_provider: embedded, timeout_ms: 1}
  - {name: b, use_provider: embedded}
llm_providers: [{name: p, type: openai, config: {model: m, max_tokens: 1}}]
llm_aliases: {x: embedded}
answers: [{question: help, conditions: {a: 1}}, {question: dao, conditions: {a: 1}}]
default: {name: base, use_provider: embedded, timeout_ms: 5}
`,
    );
    write(
      'own.yml',
      `extends: base.yml
routing_rules: [{name: c, use_llm: x}, {name: a, use_llm: y}]
llm_providers: [{name: p, type: ollama}]
llm_aliases: {y: p}
answers: [{question: dao, conditions: {b: 2}}]
default: {use_llm: x}
`,
    );
    const { profile } = load('own.yml');
    const rule = { priority: 100, conditions: {} };
    expect(profile.routing_rules).toEqual([
      { ...rule, name: 'a', use_llm: 'y' },
      { ...rule, name: 'b', use_provider: 'embedded' },
      { ...rule, name: 'c', use_llm: 'x' },
    ]);
    expect(profile.llm_providers).toEqual([{ name: 'p', type: 'ollama', config: {} }]);
    expect(profile.llm_aliases).toEqual({ x: 'embedded', y: 'p' });
    expect(profile.answers).toEqual([
      { question: 'help', conditions: { a: 1 } },
      { question: 'dao', conditions: { b: 2 } },
    ]);
    expect(profile.default).toEqual({ name: 'default', use_llm: 'x' });
  });

  it('takes all entries of the base away with an empty list', () => {
    write('own.yml', 'extends: dev\nanswers: []\n');
    expect(load('own.yml').routing.answers).toEqual([]);
  });

  it('refuses what stands twice in one file, though the base has it too', () => {
    write('base.yml', `version: "1"\n${RULE}`);
    const twice = '  - {name: chat, use_provider: embedded}\n';
    write('own.yml', `extends: base.yml\nrouting_rules:\n${twice}${twice}`);
    expect(() => load('own.yml')).toThrow(/own\.yml:4:6: routing_rules\[1\]\.name: another rule has this name$/);
  });

  it('names the file in which something is wrong', () => {
    write('base.yml', `version: "1"\n${RULE}\nlimits:\n  sesion_tokens: 3\n`);
    write('own.yml', 'extends: base.yml\n\ndebug: maybe\n');
    expect(() => load('own.yml')).toThrow(
      `${join(folder, 'base.yml')}:5:3: limits.sesion_tokens: unknown key; did you mean \`session_tokens\`?\n` +
        `${join(folder, 'own.yml')}:3:1: debug: expected true or false, found "maybe"`,
    );
  });

  it('refuses a circle, too many files, a file that is not there, and what is no name', () => {
    write('one.yml', 'extends: two.yml\n');
    write('two.yml', 'extends: one.yml\n');
    expect(() => load('one.yml')).toThrow(`${join(folder, 'two.yml')}:1:10: extends: the files extend each other`);
    for (let index = 0; index < 8; index += 1) write(`n${index}.yml`, `extends: n${index + 1}.yml\n`);
    expect(() => load('n0.yml')).toThrow(`${join(folder, 'n5.yml')}:1:10: extends: more than 5 files`);
    write('lost.yml', 'version: "1"\nextends: bse.yml\n');
    expect(() => load('lost.yml')).toThrow('lost.yml:2:10: extends: there is no file "bse.yml" beside this one');
    write('mistyped.yml', 'extends: bse\n');
    expect(() => load('mistyped.yml')).toThrow('did you mean `base`?');
    for (const value of ['[base]', '${BASE}', '""', '3']) {
      write('odd.yml', `extends: ${value}\n`);
      expect(() => load('odd.yml')).toThrow('odd.yml:1:1: extends: expected a file beside this one');
    }
  });
});

describe('variables', () => {
  const build = (text: string, variables: NodeJS.ProcessEnv = {}): LoadedConfig =>
    buildFromText(`${text}\n${text.includes('routing_rules') ? '' : RULE}`, '/p/my.yml', env, variables);
  const conditionOf = (value: string, variables: NodeJS.ProcessEnv): unknown => {
    const text = `version: "1"\nrouting_rules: [{name: a, use_provider: embedded, conditions: {k: ${value}}}]`;
    const { profile } = build(text, variables);
    return profile.routing_rules[0]?.conditions.k;
  };

  it.each([
    ['"${A}"', { A: 'x' }, 'x'],
    ['"<${A}-${B:-b}>"', { A: 'x' }, '<x-b>'],
    ['"${A:-}"', {}, ''],
    ['"${A:-a: [b]}"', {}, 'a: [b]'],
    ['"$${A} $A {A}"', { A: 'x' }, '${A} $A {A}'],
    ['"$$${A}"', { A: 'x' }, '$${A}'],
    // A value is text, whatever is in it.
    ['"${A}"', { A: 'x", mode: crew}\n- ${B} # [' }, 'x", mode: crew}\n- ${B} # ['],
    ['"${A}"', { A: '5' }, '5'],
  ])('are put into %s', (value, variables, expected) => {
    expect(conditionOf(value, variables)).toBe(expected);
  });

  it('stand for numbers and flags where those are expected', () => {
    const { profile } = build('version: ${V}\nlimits: {session_tokens: "${N}"}\ndebug: ${D:-true}', {
      N: '12',
      V: '3',
    });
    expect(profile).toMatchObject({ version: '3', debug: true, limits: { session_tokens: 12 } });
  });

  it('are told by their names, never by what they hold', () => {
    const text = [
      'version: "1"',
      'environment: ${E}',
      'limits: {session_tokens: "${N}", request_timeout_ms: "${N} "}',
      'llm_providers: [{name: "${X}", type: ollama, config: {base_url: "${N}", api_key_env: "${N}"}}]',
      'routing_rules: [{name: a, use_provider: "${P}", conditions: {mode: "${E}", prompt_matches: "${R}"}}]',
    ].join('\n');
    const secret = 'hunter2';
    const first = { N: secret, E: secret, X: `${secret} `, R: secret, P: secret };
    const refusal = (variables: NodeJS.ProcessEnv): string => {
      try {
        build(text, variables);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const told = refusal(first);
    expect(told).toContain('limits.session_tokens: expected a number, found what `${N}` stands for');
    expect(told).toContain(
      'environment: expected one of development, staging, production, found what `${E}` stands for',
    );
    expect(told).not.toContain(secret);
    const rules = `version: "1"\nrouting_rules: [{name: a, use_provider: "\${P}", conditions: {prompt_matches: "\${R}"}}]`;
    expect(() => build(rules, { P: secret, R: `(${secret}` })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
    expect(() => build(rules, { P: secret, R: `(${secret}` })).toThrow('unknown provider "${P}"');
  });

  it.each([
    ['version: "1"\nllm_aliases:\n  a: ${NOT_SET}', '/p/my.yml:3:6: llm_aliases.a: the variable NOT_SET is not set'],
    ['version: "1"\nllm_aliases: {a: "${1}"}', '/p/my.yml:2:18: llm_aliases.a: `${` begins no variable'],
    ['version: "${A"', '`${` begins no variable'],
    ['version: "${A-b}"', '`${` begins no variable'],
    ['version: "1"\n"${A:-debug}": true', '/p/my.yml:2:1: variables are put into values, not into keys'],
  ])('that are none are refused: %j', (text, message) => {
    expect(() => build(text, {})).toThrow(message);
  });

  it.each([
    'DAGI_ADMIN_KEY',
    'OPENAI_API_KEY',
    'TELEGRAM_BOT_TOKEN',
    'TELEGRAM_WEBHOOK_SECRET',
    'DATABASE_URL',
    'DATABASE_MIGRATION_URL',
    'PGPASSWORD',
    'db_password',
    'REDIS_URL',
    'OUR_REDIS_URL',
    'DATABASE_REPLICA_URL',
    'MY_APIKEY',
    'GITHUB_PAT',
    'SMTP_PASS',
    'REGISTRY_AUTH',
    'SENTRY_DSN',
    'OWN',
  ])('that may hold a secret are refused, even with a default: %s', (name) => {
    const providers = 'llm_providers: [{name: p, type: openai, config: {api_key_env: OWN}}]';
    for (const written of [`\${${name}}`, `\${${name}:-x}`]) {
      const text = `version: "1"\nllm_aliases: {a: "${written}"}\n${providers}`;
      expect(() => build(text, { [name]: 'hunter2' })).toThrow(
        `/p/my.yml:2:18: llm_aliases.a: ${name} may hold a secret`,
      );
    }
  });

  it.each([
    ['${ADDRESS}', { ADDRESS: 'amqp://guest:hunter2@host/queue' }],
    ['${ADDRESS}', { ADDRESS: 'cache://:hunter2@host' }],
    ['https://${USER}:${WORD}@host', { USER: 'me', WORD: 'hunter2@2' }],
    ['${ADDRESS:-http://me:hunter2@host}', {}],
  ])('that make an address with a password in it are refused: %s', (written, variables) => {
    const text = `version: "1"\nllm_aliases: {a: "${written}"}\n`;
    const refused = /\/p\/my\.yml:2:18: llm_aliases\.a: with its variables this is an address with a password in it/;
    expect(() => build(text, variables)).toThrow(refused);
    expect(() => build(text, variables)).not.toThrow('hunter2');
  });

  it.each(['https://host:8080/v1', 'http://[::1]:1/a@b', 'say //me@host: hello', 'https://host/?a=b:c@d'])(
    'that make any other address are put in: %s',
    (address) => {
      const text = `version: "1"\nllm_providers: [{name: a, type: openai, config: {model: "\${ADDRESS}"}}]\n${RULE}`;
      expect(build(text, { ADDRESS: address }).providers[0]).toMatchObject({ model: address });
    },
  );
});
