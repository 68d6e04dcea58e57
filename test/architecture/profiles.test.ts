import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Env } from '../../config/env.js';
import { buildFromText, loadConfig } from '../../config/loader.js';
import { profileJsonSchema } from '../../config/profile-json-schema.js';
import type { DecisionInputs } from '../../src/contracts/request.js';
import type { KnownQuestion } from '../../src/contracts/request.js';
import { holds, promptMatcher } from '../../src/domain/conditions.js';

const CONFIG = resolve(import.meta.dirname, '../../config');
const PROFILES = join(CONFIG, 'profiles');
const FILES = readdirSync(PROFILES);
const text = (file: string): string => readFileSync(join(PROFILES, file), 'utf8');
const env = {} as Env;

describe('the JSON Schema for editors', () => {
  const written = JSON.parse(readFileSync(join(CONFIG, 'profile.schema.json'), 'utf8')) as z.core.JSONSchema.JSONSchema;
  const schema = z.fromJSONSchema(written);

  it('should be the one of the loader: npm run write:schema', () => {
    expect(written).toEqual(JSON.parse(JSON.stringify(profileJsonSchema())));
  });

  it.each(FILES)('should be named by %s and take it', (file) => {
    expect(text(file)).toMatch(/^# yaml-language-server: \$schema=\.\.\/profile\.schema\.json\n/);
    expect(schema.safeParse(parse(text(file))).error).toBeUndefined();
  });

  it.each([
    ['a mistyped key', { routing_rule: [] }],
    ['a rule with two providers', { routing_rules: [{ name: 'a', use_provider: 'a', use_llm: 'b' }] }],
    ['an unknown mode', { routing_rules: [{ name: 'a', use_provider: 'a', conditions: { mode: 'chatt' } }] }],
    ['a number out of range', { limits: { session_tokens: -1 } }],
    ['what is no variable in place of a number', { limits: { session_tokens: '${A' } }],
  ])('should refuse %s', (_what, profile) => {
    expect(schema.safeParse({ version: '1', ...profile }).success).toBe(false);
  });

  it('should describe every key', () => {
    const bare: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties } = node as { properties?: Record<string, { description?: string; $ref?: string }> };
      for (const [key, below] of Object.entries(properties ?? {})) {
        if (below.description === undefined && below.$ref === undefined) bare.push(`${path}.${key}`);
      }
      // What `oneOf` lists are keys that are described beside it.
      for (const [key, below] of Object.entries(node)) if (key !== 'oneOf') visit(below, `${path}.${key}`);
    };
    visit(written, '');
    expect(bare).toEqual([]);
  });
});

describe('the profiles that come along', () => {
  it.each(['dev', 'staging', 'prod'])('should be loaded and route chats: %s', (name) => {
    const { routing, profile, document } = loadConfig(env, name);
    expect(routing.rules).toHaveLength(1);
    expect(profile.environment).toBe({ dev: 'development', staging: 'staging', prod: 'production' }[name]);
    expect(JSON.stringify(document)).not.toContain('extends');
  });

  it('should have limits in staging alone', () => {
    const limits = (name: string): unknown => loadConfig(env, name).profile.limits.requests_per_minute;
    expect(['dev', 'staging', 'prod'].map(limits)).toEqual([undefined, { key: 60, dao: 120 }, undefined]);
  });

  it('should say in prod exactly what the roadmap prints', () => {
    expect(parse(text('prod.yml'))).toEqual({
      version: '0.3.0',
      environment: 'production',
      debug: false,
      llm_providers: [
        {
          name: 'llm_prod_qwen3_8b',
          type: 'ollama',
          config: {
            base_url: 'http://localhost:11434',
            model: 'qwen3:8b',
            max_tokens: 200,
            temperature: 0.7,
            timeout_ms: 5000,
          },
        },
      ],
      routing_rules: [
        {
          name: 'prod_chat',
          priority: 10,
          conditions: { mode: 'chat' },
          use_provider: 'llm_prod_qwen3_8b',
          timeout_ms: 5000,
          fallback_provider: 'llm_remote_deepseek',
        },
      ],
      logging: { level: 'INFO', format: 'json', rotation: { max_size_mb: 100, max_files: 10 } },
    });
  });

  it('should send chats of staging to Ollama, then to whoever has a key, then to the embedded model', () => {
    const { routing } = loadConfig({ OPENAI_API_KEY: 'k', DEEPSEEK_API_KEY: 'k' } as Env, 'staging');
    expect(routing.rules[0]).toMatchObject({
      use: { providers: ['ollama'] },
      fallbacks: ['openai', 'deepseek', 'embedded'],
    });
  });
});

describe('questions that need no model', () => {
  const { answers } = buildFromText('version: "1"\ndefault: {use_provider: embedded}\n', '/p/my.yml', env, {}).routing;
  const inputs = (prompt: string, mode: DecisionInputs['mode'] = 'chat'): DecisionInputs => ({
    mode,
    agent: undefined,
    source: undefined,
    metadata: {},
    promptHead: prompt,
    promptLength: Array.from(prompt).length,
    access: { dao: { id: 'd', name: 'D' }, roles: [], platformAdmin: false },
  });
  const asked = (prompt: string, mode?: DecisionInputs['mode']): KnownQuestion[] =>
    answers
      .filter(({ condition }) =>
        holds(condition, { inputs: inputs(prompt, mode), roles: [], matches: promptMatcher(prompt) }),
      )
      .map(({ question }) => question);

  it.each<[KnownQuestion, string[]]>([
    [
      'help',
      [
        '/help',
        '/help@DagiBot ',
        'help',
        'Help me please!',
        'Hi! What can you do?',
        'What can I ask you here?',
        'how do I use this bot?',
        'What commands are there?',
        'Допомога',
        'допоможи мені, будь ласка',
        'Привіт! Що ти вмієш?',
        'Що можна запитати?',
        'Які є команди?',
        'Як цим користуватися?',
      ],
    ],
    [
      'dao',
      [
        '/dao',
        'What is this DAO?',
        "what's our DAO about?",
        'What DAO is this?',
        'Hello, tell me about this DAO.',
        'Which projects does the DAO have?',
        'Привіт! Що це за DAO?',
        'Що це за DAO і які тут проєкти?',
        'що за ДАО?',
        'Розкажи про цей DAO',
        'Які тут проекти?',
        'Які в нас проєкти?',
      ],
    ],
    [
      'roles',
      [
        '/role',
        '/roles',
        'What is my role?',
        'what are my permissions here?',
        'Which role do I have?',
        'What am I allowed to do here?',
        'Яка моя роль?',
        'Яка в мене роль?',
        'Які у мене права?',
        'ЯКІ МОЇ РОЛІ?',
        'Що мені тут дозволено?',
        'Що я можу тут робити?',
      ],
    ],
  ])('should be recognised: %s', (question, prompts) => {
    expect(prompts.filter((prompt) => asked(prompt).join() !== question)).toEqual([]);
  });

  it('should not be seen in what merely mentions them', () => {
    const others = [
      'Help me write a proposal about solar panels',
      'What is a DAO?',
      'What is this DAO going to vote on tomorrow?',
      'Which role should a treasurer have?',
      'What is my role in the proposal 12?',
      '/helpful',
      'ignore that\n/help',
      '/help\nand write a poem',
      'Допоможи мені написати пропозицію',
      'Що це за DAO, яке продає сонячні панелі?',
      'Яка роль скарбника?',
      `help${' '.repeat(200)}`,
      '',
    ];
    expect(others.filter((prompt) => asked(prompt).length > 0)).toEqual([]);
    expect(asked('/help', 'crew')).toEqual([]);
  });
});
