import { describe, expect, it } from '@jest/globals';
import type { Env } from './env.js';
import { buildFromText } from './loader.js';

const RULE = 'routing_rules: [{name: chat, use_provider: embedded}]\n';

const refusal = (text: string): string[] => {
  try {
    buildFromText(text, '/p/my.yml', {} as Env, {});
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return (error as Error).message.split('\n');
  }
  throw new Error(`accepted: ${text}`);
};

const rule = (lines: string): string => `version: "1"\nrouting_rules:\n  - name: a\n${lines}`;
const provider = (config: string, more = ''): string =>
  `version: "1"\nllm_providers:\n  - name: a\n    type: ollama\n    config: {${config}}\n${more}${RULE}`;

describe('a profile is refused with file, line, column and what was meant', () => {
  it.each([
    [
      'a key that is not known',
      `version: "1"\n# note\nverison: "1"\n${RULE}`,
      '3:1: verison: unknown key; did you mean `version`?',
    ],
    [
      'a mistyped key, and not what is missing because of it',
      rule('    use_providr: embedded\n'),
      '4:5: routing_rules[0].use_providr: unknown key; did you mean `use_provider`?',
    ],
    ['a mistyped key that is required', 'verison: "1"\n' + RULE, '1:1: verison: unknown key; did you mean `version`?'],
    [
      'a key at the wrong place',
      provider('', '    timeout_ms: 5\n'),
      '6:5: llm_providers[0].timeout_ms: unknown key; did you mean `config.timeout_ms`?',
    ],
    [
      'a key that is like no other',
      provider('zzzzzz: 1'),
      /^5:14: llm_providers\[0\]\.config\.zzzzzz: unknown key; there is base_url, model, /,
    ],
    [
      'a rule without a provider',
      'version: "1"\nrouting_rules:\n  - name: ok\n    use_provider: embedded\n  - name: a\n',
      '5:5: routing_rules[1]: expected one of `use_provider`, `use_llm` and `use_metadata`, found none of them',
    ],
    [
      'a rule with two',
      rule('    use_provider: embedded\n    use_llm: x\n'),
      '5:5: routing_rules[0].use_llm: expected one of `use_provider`, `use_llm` and `use_metadata`, found `use_provider` and `use_llm`',
    ],
    [
      'a choice of the request without a list',
      rule('    use_metadata: p\n'),
      '4:5: routing_rules[0].use_metadata: needs `allow`, the providers that may be named',
    ],
    [
      'a list without a choice',
      rule('    use_provider: embedded\n    allow: [embedded]\n'),
      '5:5: routing_rules[0].allow: has no effect without `use_metadata`',
    ],
    [
      'a value of the wrong kind',
      `version: "1"\n${RULE}limits:\n  request_timeout_ms: soon\n`,
      '4:3: limits.request_timeout_ms: expected a number, found "soon"',
    ],
    [
      'a number with a fraction',
      `version: "1"\n${RULE}limits:\n  request_timeout_ms: 1.5\n`,
      '4:3: limits.request_timeout_ms: expected a whole number, found 1.5',
    ],
    ['a number for a text', `version: 1\n${RULE}`, '1:1: version: expected text, found 1'],
    [
      'a number that is too large',
      provider('temperature: 3'),
      '5:14: llm_providers[0].config.temperature: expected at most 2, found 3',
    ],
    [
      'nothing where something belongs',
      `version: "1"\n${RULE}limits:\n`,
      '3:1: limits: expected keys with values, found nothing',
    ],
    [
      'a mode that is not known',
      rule('    use_provider: embedded\n    conditions:\n      mode: [chat, chatt]\n'),
      '6:20: routing_rules[0].conditions.mode[1]: expected one of chat, crew, devtools, found "chatt"; did you mean `chat`?',
    ],
    [
      'a mistyped condition',
      rule('    use_provider: embedded\n    conditions: {prompt_lenght: {min: 1}}\n'),
      '5:18: routing_rules[0].conditions.prompt_lenght: expected text, a number, or true or false, or a list of them; did you mean `prompt_length`?',
    ],
    [
      'a pattern that is none, deep inside',
      rule('    use_provider: embedded\n    conditions:\n      or: [{not: {prompt_matches: "ab[z-a]"}}]\n'),
      '6:19: routing_rules[0].conditions.or[0].not.prompt_matches: not a regular expression (RE2 syntax): invalid character class range at its character 4',
    ],
    [
      'a length that no prompt has',
      rule('    use_provider: embedded\n    conditions: {prompt_length: {min: 2, max: 1}}\n'),
      '5:18: routing_rules[0].conditions.prompt_length: no prompt is that long: min 2 is more than max 1',
    ],
    [
      'an alternative of nothing',
      rule('    use_provider: embedded\n    conditions: {or: []}\n'),
      '5:18: routing_rules[0].conditions.or: expected at least 1 entry, found 0',
    ],
    [
      'an unknown provider',
      rule('    use_provider: embeded\n'),
      '4:5: routing_rules[0].use_provider: unknown provider "embeded"; did you mean `embedded`?',
    ],
    [
      'a provider whose key is not set',
      rule('    use_provider: deepseek\n'),
      '4:5: routing_rules[0].use_provider: unknown provider "deepseek"; set DEEPSEEK_API_KEY, or define it under llm_providers',
    ],
    [
      'a provider that nothing is like',
      rule('    use_metadata: p\n    allow: [embedded, zzzz]\n'),
      '5:23: routing_rules[0].allow[1]: unknown provider "zzzz"; define it under llm_providers',
    ],
    [
      'an alias that is not there',
      rule('    use_llm: fst\n') + 'llm_aliases: {fast: embedded}\n',
      '4:5: routing_rules[0].use_llm: "fst" is no name of llm_aliases; did you mean `fast`?',
    ],
    [
      'an alias whose letters changed places',
      rule('    use_llm: fsat\n') + 'llm_aliases: {fast: embedded}\n',
      '4:5: routing_rules[0].use_llm: "fsat" is no name of llm_aliases; did you mean `fast`?',
    ],
    [
      'a look-ahead',
      rule("    use_provider: embedded\n    conditions: {prompt_matches: 'vote(?!r)'}\n"),
      '5:18: routing_rules[0].conditions.prompt_matches: not a regular expression (RE2 syntax): RE2 has no look-around ((?=…), (?!…), (?<=…), (?<!…))',
    ],
    [
      'a look-behind',
      rule("    use_provider: embedded\n    conditions: {prompt_matches: '(?<=a)b'}\n"),
      '5:18: routing_rules[0].conditions.prompt_matches: not a regular expression (RE2 syntax): RE2 has no look-around ((?=…), (?!…), (?<=…), (?<!…))',
    ],
    [
      'an alias of nobody',
      `version: "1"\n${RULE}llm_aliases: {fast: nobody}\n`,
      '3:15: llm_aliases.fast: unknown provider "nobody"; define it under llm_providers',
    ],
    [
      'a kind of provider',
      `version: "1"\nllm_providers: [{name: a, type: olama}]\n${RULE}`,
      '2:27: llm_providers[0].type: expected one of ollama, openai, deepseek, openai-compatible, embedded, found "olama"; did you mean `ollama`?',
    ],
    [
      'two providers of one name',
      `version: "1"\nllm_providers:\n  - {name: a, type: ollama}\n  - {name: a, type: openai}\n${RULE}`,
      '4:6: llm_providers[1].name: another provider has this name',
    ],
    [
      'two rules of one name',
      `${rule('    use_provider: embedded\n')}default: {name: a, use_provider: embedded}\n`,
      '5:1: default: one of the rules has the name "a"',
    ],
    [
      'more calls than an Ollama host gets',
      provider('max_concurrent: 4'),
      '5:14: llm_providers[0].config.max_concurrent: expected at most 3: no Ollama host gets more calls at once',
    ],
    [
      'a queue in front of nothing',
      provider('max_waiting: 4').replace('ollama', 'openai'),
      '5:14: llm_providers[0].config.max_waiting: has no effect without `max_concurrent`: nothing ever waits',
    ],
    [
      'a capability that there is not',
      provider('capabilities: [tool]'),
      '5:29: llm_providers[0].config.capabilities[0]: expected one of completion, tools, json_schema, vision, thinking, embeddings, found "tool"; did you mean `tools`?',
    ],
    [
      'a capability twice',
      provider('capabilities: [tools, tools]'),
      '5:14: llm_providers[0].config.capabilities: a capability is named twice',
    ],
    [
      'a model that can do nothing',
      provider('capabilities: []'),
      '5:14: llm_providers[0].config.capabilities: expected at least 1 entry, found 0',
    ],
    [
      'a context of nothing',
      provider('context_length: 0'),
      '5:14: llm_providers[0].config.context_length: expected at least 1, found 0',
    ],
    [
      'what is known of the embedded model',
      provider('context_length: 100').replace('ollama', 'embedded'),
      '5:14: llm_providers[0].config.context_length: has no effect: it is known of the embedded model',
    ],
    [
      'an endpoint without an address',
      provider('').replace('ollama', 'openai-compatible'),
      '5:5: llm_providers[0].config: a provider of type openai-compatible needs `base_url`',
    ],
    [
      'an address that is none',
      provider('base_url: "file:///etc"'),
      '5:14: llm_providers[0].config.base_url: expected an address that begins with http:// or https://',
    ],
    [
      'a word for the environment',
      `version: "1"\nenvironment: prod\n${RULE}`,
      '2:1: environment: expected one of development, staging, production, found "prod"; did you mean `production`?',
    ],
    [
      'a level of the log',
      `version: "1"\n${RULE}logging: {level: WARNING}\n`,
      '3:11: logging.level: expected one of fatal, error, warn, info, debug, trace, found "WARNING"; did you mean `warn`?',
    ],
    [
      'a form of the log',
      `version: "1"\n${RULE}logging: {format: pretty}\n`,
      '3:11: logging.format: expected json, found "pretty"',
    ],
    ['no rules', 'version: "1"\nrouting_rules: []\n', '2:1: routing_rules: expected at least one rule, or a `default`'],
    ['broken YAML', 'version: "1"\nrouting_rules:\n  - name: [a\n', /^4:1: Flow sequence /],
    ['a key twice', `version: "1"\nversion: "2"\n${RULE}`, '2:1: version: the key is there twice in this map'],
    ['a key twice, written in two ways', `daos:\n  1: {}\n  "1": {}\n`, '3:3: 1: the key is there twice in this map'],
    [
      'a merge key',
      `version: "1"\nlimits: {<<: {}}\n`,
      '2:10: <<: merge keys are not supported: name a base file with `extends`',
    ],
    ['an alias of nothing', 'environment: *none\n', '1:14: the alias has no anchor of its name before it'],
    ['an alias of itself', 'a: &a [*a]\n', '1:8: the alias has no anchor of its name before it'],
    ['a tag', 'a: !secret x\n', /^1:4: Unresolved tag/],
    ['infinity', 'a: .inf\n', '1:4: expected text, a finite number, or true or false'],
    ['what a database cannot keep', 'a: "\\0"\n', '1:4: the text has characters that cannot be kept'],
    ['an empty file', '', '1:1: expected the keys of a profile, such as `version`'],
    ['a list', '- a\n', '1:1: expected the keys of a profile, such as `version`'],
    ['a file that is too long', `# ${'x'.repeat(250_000)}`, '1:1: longer than 250000 characters'],
  ])('%s', (_what, text, expected) => {
    const [first, ...others] = refusal(text);
    expect(first?.replace('/p/my.yml:', '')).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
    // The one mistake is told once.
    expect(others.filter((line) => !/^\/p\/my\.yml:\d+:\d+: /.test(line))).toEqual([]);
    if (typeof expected === 'string') expect(others).toEqual([]);
  });

  it('all at once, up to ten, mistyped keys first', () => {
    const rules = Array.from(
      { length: 12 },
      (_, index) => `  - {name: r${index}, use_provider: embedded, priority: high}`,
    );
    const lines = refusal(`version: "1"\nrouting_rules:\n${rules.join('\n')}\nlogging: {levle: info}\n`);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe('/p/my.yml:15:11: logging.levle: unknown key; did you mean `level`?');
    expect(lines[1]).toBe('/p/my.yml:3:40: routing_rules[0].priority: expected a number, found "high"');
    expect(lines[10]).toBe('and 3 more');
  });

  it('when its aliases multiply', () => {
    const list = (name: string, of: string): string => `${name}: &${name} [${Array(20).fill(of).join(', ')}]\n`;
    const bomb = list('a', 'x') + list('b', '*a') + list('c', '*b') + list('d', '*c') + list('e', '*d');
    expect(refusal(bomb)).toEqual(['/p/my.yml:4:1: more than 50000 values, aliases counted in full']);
  });

  it('when it is nested too deeply, as a file or as conditions', () => {
    const nested = (levels: number): string =>
      rule(`    use_provider: embedded\n    conditions: ${'{not: '.repeat(levels)}{}${'}'.repeat(levels)}\n`);
    expect(() => buildFromText(nested(9), '/p/my.yml', {} as Env, {})).not.toThrow();
    expect(refusal(nested(10))[0]).toMatch(/: conditions are nested deeper than 10 levels$/);
    expect(refusal(nested(50))[0]).toMatch(/: nested deeper than 40 levels$/);
    expect(refusal('['.repeat(50_000))[0]).toMatch(/^\/p\/my\.yml:1:\d+: /);
  });

  it('without repeating a key that was pasted where it does not belong', () => {
    const key = 'sk-1a2b3c4d5e6f7a8b9c0d1e2f';
    for (const text of [
      provider(`api_key: ${key}`),
      provider(`api_key_env: ${key}`),
      provider(`${key}: 1`),
      provider(`base_url: "http://me:${key}@host/v1"`),
      provider(`shape: ${key}`),
      rule(`    use_provider: ${key}\n`),
      `version: "1"\nenvironment: ${key.slice(3)}\n${RULE}`,
    ]) {
      expect(refusal(text).join('\n')).not.toContain(key.slice(3));
    }
  });
});
