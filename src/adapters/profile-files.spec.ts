import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Env } from '../../config/env.js';
import { buildFromText } from '../../config/loader.js';
import { ProfileFiles, withHash } from './profile-files.js';

const LOG = pino({ level: 'silent' });
const env = (profile: string): Env => ({ DAGI_PROFILE: profile }) as Env;

const profile = (config: object = {}, rest: object = {}): string =>
  JSON.stringify({
    version: '1',
    llm_providers: [
      { name: 'a', type: 'openai-compatible', config: { base_url: 'http://host/v1', api_key_env: 'A_KEY', ...config } },
    ],
    routing_rules: [{ name: 'chat', conditions: { mode: 'chat', source: 'telegram' }, use_provider: 'a' }],
    ...rest,
  });

describe('ProfileFiles', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-test-profile-'));
    writeFileSync(join(folder, 'own.yml'), profile());
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is known by its name where it comes along, else by its file', () => {
    const file = join(folder, 'own.yml');
    expect(new ProfileFiles(env('dev'), LOG).profile).toBe('dev');
    expect(new ProfileFiles(env(file), LOG).profile).toBe(file);
    expect(new ProfileFiles(env('./config/profiles/dev.yml'), LOG).profile).toMatch(
      /^\/.*\/config\/profiles\/dev\.yml$/,
    );
  });

  it('builds what it has read again from the record, with the same hash', () => {
    const files = new ProfileFiles(env(join(folder, 'own.yml')), LOG);
    const read = files.read();
    const again = files.build(JSON.parse(JSON.stringify(read.document)));
    const unset = 'llm_providers[0].config.api_key_env: the variable A_KEY is not set: no key is sent';
    expect(read.warnings).toEqual([expect.stringMatching(/own\.yml:1:\d+: /)]);
    expect(again).toEqual({ ...read, files: [], warnings: [`profile as kept: ${unset}`] });
    expect(read.files).toContain(join(folder, 'own.yml'));
  });

  it('says that the file is gone where it was there before', () => {
    const file = join(folder, 'gone.yml');
    const files = new ProfileFiles(env(file), LOG);
    expect(() => files.read()).toThrow(`${file}: the file is not there`);
    writeFileSync(file, profile());
    files.read();
    rmSync(file);
    expect(() => files.read()).toThrow(`${file}: the file is gone: put it back`);
  });

  describe('the hash', () => {
    const hashOf = (text: string, variables: NodeJS.ProcessEnv = {}): string =>
      withHash(buildFromText(text, '/p/own.yml', env('dev'), variables)).hash;
    const first = hashOf(profile());

    it.each([
      ['an address', profile({ base_url: 'http://other/v1' })],
      ['another path of one host', profile({ base_url: 'http://host/v2' })],
      ['a model', profile({ model: 'other' })],
      ['a limit', profile({}, { limits: { session_tokens: 5 } })],
      ['the guard', profile({}, { guard: { enabled: true } })],
      ['a rule', profile({}, { default: { use_provider: 'a' } })],
    ])('is another one with %s', (_what, text) => {
      expect(hashOf(text)).not.toBe(first);
      expect(hashOf(text)).toMatch(/^[0-9a-f]{16}$/);
    });

    it('knows no variable: it tells nobody anything about a key, and processes with others can follow each other', () => {
      expect(hashOf(profile(), { A_KEY: 'one' })).toBe(hashOf(profile(), { A_KEY: 'other' }));
      expect(hashOf(profile())).toBe(first);
    });
  });
});
