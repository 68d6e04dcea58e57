import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultDaoOf, readEnv } from './env.js';
import { packagePath } from './paths.js';

const VARIABLES = [...readFileSync(packagePath('.env.example'), 'utf8').matchAll(/^# ([A-Z_]+)=/gm)].map(
  ([, name = '']) => name,
);

describe('readEnv', () => {
  const before = process.cwd();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-env-'));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });

  it('works without a single variable', () => {
    expect(readEnv({})).toEqual({
      DAGI_PROFILE: 'dev',
      HOST: '127.0.0.1',
      PORT: 9102,
      MCP_PORT: 9400,
      TEMPORAL_NAMESPACE: 'default',
      home: resolve('var'),
      cache: resolve('var/cache'),
    });
  });

  it('makes the folders absolute, and puts the cache into the home', () => {
    expect(readEnv({ DAGI_HOME: 'state' })).toMatchObject({ home: resolve('state'), cache: resolve('state/cache') });
    expect(readEnv({ DAGI_HOME: '/a', DAGI_CACHE: '/b' })).toMatchObject({ home: '/a', cache: '/b' });
  });

  it('takes an empty value for an absent one', () => {
    expect(readEnv({ PORT: '', DATABASE_URL: '', DAGI_ADMIN_KEY: '' })).toEqual(readEnv({}));
  });

  it('keeps nothing that is not its own', () => {
    expect(readEnv({ PATH: '/bin', HOME: '/root' })).toEqual(readEnv({}));
  });

  it('reads a .env file below the environment', () => {
    writeFileSync('.env', 'PORT=1000\nHOST=0.0.0.0\nDAGI_PROFILE=staging\n');
    expect(readEnv({ PORT: '2000', DAGI_PROFILE: '' })).toMatchObject({
      PORT: 2_000,
      HOST: '0.0.0.0',
      DAGI_PROFILE: 'staging',
    });
  });

  it('leaves the environment of the process as it is', () => {
    writeFileSync('.env', 'DAGI_DEFAULT_DAO=from-file\n');
    readEnv({});
    expect(process.env.DAGI_DEFAULT_DAO ?? '').not.toBe('from-file');
  });

  it('reads numbers and flags', () => {
    expect(readEnv({ TEMPORAL_PORT: '7234', TEMPORAL_TLS: 'true' })).toMatchObject({
      TEMPORAL_PORT: 7_234,
      TEMPORAL_TLS: true,
    });
    expect(readEnv({ TEMPORAL_TLS: 'false' }).TEMPORAL_TLS).toBe(false);
  });

  it('names every bad variable at once, and where to look', () => {
    const bad = {
      PORT: '70000',
      MCP_PORT: 'x',
      DATABASE_URL: 'mysql://h/d',
      OLLAMA_BASE_URL: 'localhost',
      DAGI_LOG_LEVEL: 'loud',
    };
    expect(() => readEnv(bad)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    for (const name of Object.keys(bad)) expect(() => readEnv(bad)).toThrow(name);
    expect(() => readEnv(bad)).toThrow('.env.example');
  });

  it.each([
    ['PORT', 'abc', 'PORT must be a whole number from 0 to 65535, is "abc"'],
    ['TEMPORAL_UI_PORT', '80.5', 'TEMPORAL_UI_PORT must be a whole number from 0 to 65535, is "80.5"'],
    ['TEMPORAL_TLS', 'maybe', 'TEMPORAL_TLS must be true or false, is "maybe"'],
    ['DAGI_LOG_LEVEL', 'loud', 'DAGI_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, is "loud"'],
    ['OLLAMA_BASE_URL', 'host:1', 'OLLAMA_BASE_URL must be an address that begins with http:// or https://.'],
    ['TELEGRAM_MODE', 'push', 'TELEGRAM_MODE must be polling or webhook, is "push".'],
    ['TELEGRAM_API_ROOT', 'x', 'TELEGRAM_API_ROOT must be an address that begins with http:// or https://.'],
    ['DATABASE_URL', 'mysql://h/d', 'DATABASE_URL must be an address that begins with postgres:// or postgresql://.'],
  ])('says what %s must be', (name, value, expected) => {
    expect(() => readEnv({ [name]: value })).toThrow(`Environment: ${expected}`);
  });

  it.each(VARIABLES)('has words of its own for what is wrong with %s', (name) => {
    for (const bad of ['x', '?', '-1', '999999', 'a:b c', '\u0000']) {
      try {
        readEnv({ [name]: bad });
      } catch (error) {
        expect(error).toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(new RegExp(`^Environment: ${name} must (be|have) [a-z0-9]`)),
        });
        expect(error).toMatchObject({ message: expect.not.stringMatching(/invalid|expected/i) });
      }
    }
  });

  it('refuses a webhook without an address for it, where there is a bot', () => {
    const bot = { TELEGRAM_BOT_TOKEN: '1:x', TELEGRAM_MODE: 'webhook' };
    expect(() => readEnv(bot)).toThrow(
      /^Environment: TELEGRAM_MODE is webhook, and PUBLIC_URL is not set.*TELEGRAM_MODE=polling\. See \.env\.example\.$/,
    );
    expect(readEnv({ ...bot, PUBLIC_URL: 'https://dagi.example.org' }).TELEGRAM_MODE).toBe('webhook');
    expect(readEnv({ TELEGRAM_MODE: 'webhook' }).TELEGRAM_MODE).toBe('webhook');
  });

  it('says which DAO is the usual one, or that there is none', () => {
    const seeded = (): string => 'seeded';
    expect(defaultDaoOf(readEnv({}), seeded)).toBe('seeded');
    expect(defaultDaoOf(readEnv({ DAGI_DEFAULT_DAO: 'orchard' }), seeded)).toBe('orchard');
    expect(defaultDaoOf(readEnv({ DAGI_DEFAULT_DAO: 'none' }), seeded)).toBeUndefined();
  });

  it('never shows what may be a secret', () => {
    const secret = 'sk-hunter2hunter2hunter2';
    const bad = {
      DAGI_ADMIN_KEY: 'hunter2',
      DATABASE_URL: `mysql://user:${secret}@host/db`,
      OPENAI_BASE_URL: `ftp://${secret}`,
      TEMPORAL_TLS: secret,
      PORT: secret,
      DAGI_LOG_LEVEL: secret,
    };
    expect(() => readEnv(bad)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2'), code: 'CONFIG_INVALID' }),
    );
  });

  it('asks for an admin key of some length', () => {
    expect(() => readEnv({ DAGI_ADMIN_KEY: 'x'.repeat(15) })).toThrow(
      'DAGI_ADMIN_KEY must have at least 16 characters',
    );
    expect(readEnv({ DAGI_ADMIN_KEY: 'x'.repeat(16) }).DAGI_ADMIN_KEY).toHaveLength(16);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readEnv({}))).toBe(true);
  });
});
