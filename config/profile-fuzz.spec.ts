import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { CONDITION_KEYS } from './conditions-schema.js';
import type { Env } from './env.js';
import { buildFromDocument, buildFromText, type LoadedConfig } from './loader.js';

const env = {} as Env;
const build = (text: string): LoadedConfig => buildFromText(text, '/p/fuzz.yml', env, { SET: 'x' });

/** Builds, or says why not. Anything but a refusal with positions is a defect and passes on. */
function attempt(text: string): LoadedConfig | string {
  try {
    return build(text);
  } catch (error) {
    expect(error).toMatchObject({ name: 'AppError', code: 'CONFIG_INVALID' });
    const { message } = error as Error;
    const lines = message.split('\n');
    expect(lines.length).toBeLessThanOrEqual(11);
    for (const line of lines.slice(0, 10)) expect(line).toMatch(/^\/p\/fuzz\.yml:[1-9]\d*:[1-9]\d*: ./u);
    return message;
  }
}

/** A valid profile that has every key there is. */
const FULL = {
  version: '1',
  environment: 'staging',
  debug: true,
  llm_providers: [
    {
      name: 'local',
      type: 'ollama',
      config: {
        base_url: 'http://localhost:11434',
        model: 'm',
        context_length: 1,
        capabilities: ['completion'],
        max_tokens: 1,
        temperature: 1,
        top_p: 1,
        timeout_ms: 1,
        max_attempts: 1,
        retry_delay_ms: 1,
        shape: 'queue',
        max_concurrent: 1,
        max_waiting: 1,
        max_wait_ms: 1,
        price: { prompt: 1, completion: 1 },
      },
    },
    { name: 'cloud', type: 'openai', config: { api_key_env: 'CLOUD_KEY' } },
  ],
  llm_aliases: { fast: 'local' },
  routing_rules: [
    {
      name: 'a',
      priority: 1,
      conditions: {
        and: [{ mode: ['chat'] }, { agent: 'x', or: [{ source: 'web' }, { not: { dao_id: 'd' } }] }],
        role: 'admin',
        task_type: 'review',
        tier: ['gold', 1, true],
        metadata_has: ['k'],
        prompt_matches: '^a+$',
        prompt_length: { min: 1, max: 2 },
        api_key_available: 'CLOUD_KEY',
      },
      use_provider: 'cloud',
      timeout_ms: 1,
      fallback_provider: ['local', 'auto'],
      cache: { ttl_s: 1, max_entries: 1 },
    },
    { name: 'b', use_llm: 'fast' },
    { name: 'c', use_metadata: 'provider', allow: ['local'] },
  ],
  default: { name: 'last', use_provider: 'embedded' },
  answers: [{ question: 'help', conditions: { mode: 'chat' } }],
  limits: {
    request_timeout_ms: 1,
    session_tokens: 1,
    requests_per_minute: { key: 1, dao: 1 },
    tokens_per_month: { key: 1, dao: 1 },
  },
  daos: { d: { weight: 2, requests_per_minute: 1, tokens_per_month: 1 } },
  guard: { enabled: true, requests: 1, max_changed_share: 0.5 },
  logging: { level: 'INFO', format: 'json', rotation: { max_size_mb: 1, max_files: 1 } },
};

type Path = (string | number)[];

/** Paths of all values below. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((part, index) => [index, part])
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  return entries.flatMap(([key, part]) => [[...path, key], ...pathsOf(part, [...path, key])]);
}

const PATHS = pathsOf(FULL);
const KEYS = PATHS.filter((path) => typeof path.at(-1) === 'string');

/** A copy whose holder of a path was changed. */
function changed(path: Path, change: (holder: Record<string | number, unknown>, key: string | number) => void): object {
  const copy = structuredClone(FULL);
  const holder = path.slice(0, -1).reduce<unknown>((at, part) => (at as Record<string | number, unknown>)[part], copy);
  change(holder as Record<string | number, unknown>, path.at(-1)!);
  return copy;
}

/** Whether any name is allowed there, by design: ids of DAOs, names of aliases, keys of metadata. */
function isFree(path: Path, value: unknown): boolean {
  const holder = path.at(-2);
  if (path.length === 2 && (holder === 'daos' || holder === 'llm_aliases')) return true;
  const among = path.slice(0, -1).findLast((part) => typeof part === 'string');
  if (among !== 'conditions' && among !== 'and' && among !== 'or' && among !== 'not') return false;
  const scalar = (one: unknown): boolean => typeof one !== 'object' || one === null;
  return Array.isArray(value) ? value.every(scalar) : scalar(value);
}

const valueAt = (path: Path): unknown =>
  path.reduce<unknown>((at, part) => (at as Record<string | number, unknown>)[part], FULL);

describe('any profile', () => {
  it('that is valid is accepted, however it is written, and when it was kept', () => {
    const first = build(stringify(FULL));
    expect(build(JSON.stringify(FULL)).routing.hash).toBe(first.routing.hash);
    expect(buildFromDocument(first.document, env, {}).routing).toEqual(first.routing);
    expect(first.document).toEqual(FULL);
  });

  it('is refused if a key of it is renamed, unless any name is allowed there', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.string({ minLength: 1, maxLength: 12 }), (path, name) => {
        const holder = path.length === 1 ? FULL : valueAt(path.slice(0, -1));
        // A name that is known there already is no mistyped one.
        fc.pre(!Object.hasOwn(holder as object, name) && !name.includes('${') && name !== 'extends');
        fc.pre(!(CONDITION_KEYS as readonly string[]).includes(name) && !['<<', '__proto__'].includes(name));
        const renamed = changed(path, (at, key) => {
          at[name] = at[key];
          Reflect.deleteProperty(at, key);
        });
        const outcome = attempt(stringify(renamed));
        if (!isFree(path, valueAt(path))) expect(typeof outcome).toBe('string');
      }),
      { numRuns: 400 },
    );
  });

  it('is refused for every key that is misspelt by one letter, with the right one', () => {
    for (const path of KEYS) {
      const key = String(path.at(-1));
      if (isFree(path, valueAt(path)) || key.length < 4) continue;
      const misspelt = changed(path, (at) => {
        at[`${key}x`] = at[key];
        Reflect.deleteProperty(at, key);
      });
      expect(attempt(stringify(misspelt))).toContain(`did you mean \`${key}\`?`);
    }
  });

  it('is refused if any value of it becomes a list of lists, or nothing', () => {
    for (const path of PATHS) {
      for (const odd of [[[1]], null]) {
        const retyped = changed(path, (at, key) => {
          at[key] = odd;
        });
        expect(typeof attempt(stringify(retyped))).toBe('string');
      }
    }
  });

  it('is accepted or refused in words if a value of it becomes any other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATHS), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        const retyped = changed(path, (at, key) => {
          at[key] = value;
        });
        attempt(JSON.stringify(retyped));
      }),
      { numRuns: 400 },
    );
  });

  it('is accepted or refused in words if any part of it is dropped', () => {
    const needed = new Set(['version', 'type', 'question', 'use_metadata', 'allow', 'use_llm', 'prompt', 'completion']);
    for (const path of PATHS) {
      const dropped = changed(path, (at, key) => {
        if (Array.isArray(at)) at.splice(Number(key), 1);
        else Reflect.deleteProperty(at, key);
      });
      const outcome = attempt(stringify(dropped));
      if (needed.has(String(path.at(-1)))) expect(typeof outcome).toBe('string');
    }
  });

  it('is accepted or refused in words if its text is damaged', () => {
    const text = stringify(FULL);
    const damage = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        let damaged = text;
        for (const [at, cut, put] of damages) damaged = damaged.slice(0, at) + put + damaged.slice(at + cut);
        attempt(damaged);
      }),
      { numRuns: 400 },
    );
  });

  it('of arbitrary text, bytes, or signs of YAML is refused in words', () => {
    const signs = fc.array(
      fc.constantFrom(
        ...'[]{}:,-?&*!|>\'"%@`#~<= \n\ta0'.split(''),
        '${',
        '<<: ',
        '- ',
        '*a',
        '&a ',
        '---\n',
        '%YAML 1.1\n',
        '!!binary ',
      ),
    );
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'));
    fc.assert(
      fc.property(
        fc.oneof(
          signs.map((all) => all.join('')),
          bytes,
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          expect(typeof attempt(text)).toBe('string');
        },
      ),
      { numRuns: 800 },
    );
  });

  it('of arbitrary data is refused in words', () => {
    const value = fc.object({
      maxDepth: 5,
      key: fc.oneof(fc.string(), fc.constantFrom(...KEYS.map((path) => String(path.at(-1))))),
    });
    fc.assert(
      fc.property(value, (data) => {
        attempt(stringify(data, { aliasDuplicateObjects: true }));
      }),
      { numRuns: 300 },
    );
  });

  it('that is deep, wide, or full of anchors and aliases is refused in words', () => {
    const shapes: ((size: number) => string)[] = [
      (size) => '['.repeat(size),
      (size) => '{a: '.repeat(size),
      (size) => '- '.repeat(size),
      (size) => `a: &a 1\nb: [${'*a, '.repeat(size)}]\n`,
      (size) => Array.from({ length: size }, (_, index) => `k${index}: &a${index} [*a${index - 1}]`).join('\n'),
      (size) => Array.from({ length: size }, (_, index) => `k${index}: 1`).join('\n'),
      (size) => `version: "${'${A:-'.repeat(size)}"`,
      (size) => `"${'k'.repeat(size)}": 1`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...shapes), fc.integer({ min: 50, max: 5_000 }), (shape, size) => {
        expect(typeof attempt(shape(size))).toBe('string');
      }),
      { numRuns: 40 },
    );
  });
});
