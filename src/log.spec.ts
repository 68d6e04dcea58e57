import { once, type EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino, type Logger } from 'pino';
import { createLogger } from './log.js';

const SECRET = 'sk-very-secret';

describe('createLogger', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-log-'));
    file = join(folder, 'logs', 'api.log');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** What was written, as text. */
  async function written(write: (log: Logger) => void, level = 'info'): Promise<string> {
    const log = createLogger('api', level, { file });
    write(log);
    const stream = (log as unknown as Record<symbol, EventEmitter & { end(): void }>)[pino.symbols.streamSym]!;
    stream.end();
    await once(stream, 'close');
    return readFileSync(file, 'utf8');
  }

  async function line(write: (log: Logger) => void): Promise<Record<string, unknown>> {
    return JSON.parse(await written(write)) as Record<string, unknown>;
  }

  it('writes JSON lines with level, time and process', async () => {
    expect(await line((log) => log.info({ request_id: 'r1' }, 'call'))).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      process: 'api',
      request_id: 'r1',
      msg: 'call',
    });
  });

  it('keeps the fields of a child on each of its lines', async () => {
    const text = await written((log) => {
      const child = log.child({ request_id: 'r1', dao_id: 'd' });
      child.info('one');
      child.warn('two');
    });
    expect(text.match(/"request_id":"r1","dao_id":"d"/g)).toHaveLength(2);
  });

  it('leaves out what is below the level', async () => {
    const text = await written((log) => {
      log.info('quiet');
      log.warn('loud');
    }, 'warn');
    expect(text).not.toContain('quiet');
    expect(text).toContain('loud');
  });

  it('leaves figures and names as they are', async () => {
    const fields = { key_id: 'k1', usage: { prompt_tokens: 3, total_tokens: 7 }, providers: ['a', 'b'], none: null };
    expect(await line((log) => log.info(fields, 'm'))).toMatchObject(fields);
  });

  it('leaves what knows how to write itself', async () => {
    const at = new Date(0);
    expect(await line((log) => log.info({ at }, 'm'))).toMatchObject({ at: at.toISOString() });
  });

  it.each([
    'key',
    'apiKey',
    'api_key',
    'token',
    'secret',
    'password',
    'authorization',
    'x-api-key',
    'cookie',
    'prompt',
    'text',
    'messages',
    'answer',
    'content',
  ])('never lets out what is called %s, wherever it stands', async (name) => {
    const secret = { [name]: SECRET };
    const text = await written((log) => {
      log.info(secret, 'top');
      log.info({ a: secret }, 'second');
      log.info({ req: { headers: secret } }, 'third');
      log.info({ list: [{ of: [secret] }] }, 'in lists');
      log.info({ a: { b: { c: { d: { e: { f: { g: { h: secret } } } } } } } }, 'deep');
      log.child(secret).info('bound');
    });
    expect(text.trim().split('\n')).toHaveLength(6);
    expect(text).not.toContain(SECRET);
    expect(text).toContain('[redacted]');
  });

  it('does not care for upper and lower case in the fields of a line', async () => {
    const headers = { Authorization: SECRET, 'X-API-Key': SECRET };
    expect(await written((log) => log.info({ ...headers, headers }, 'm'))).not.toContain(SECRET);
  });

  it('does not change what it is given', async () => {
    const fields = { a: { token: SECRET } };
    await written((log) => log.info(fields, 'm'));
    expect(fields).toEqual({ a: { token: SECRET } });
  });

  it('writes name, message, stack and cause of an error, and nothing that hangs on it', async () => {
    const cause = Object.assign(new TypeError('inner'), { parameters: [SECRET] });
    const err = Object.assign(new Error('outer', { cause }), { request: { body: SECRET }, detail: SECRET });
    const logged = await line((log) => log.error({ err }, 'failed'));
    expect(logged.err).toEqual({
      name: 'Error',
      message: 'outer',
      stack: expect.stringContaining('log.spec'),
      cause: { name: 'TypeError', message: 'inner', stack: expect.any(String) },
    });
  });

  it('does so for an error under any name, and for one alone', async () => {
    const error = Object.assign(new Error('outer', { cause: { body: SECRET } }), { detail: SECRET });
    const text = await written((log) => {
      log.error(error);
      log.warn({ failure: { error } }, 'nested');
    });
    expect(text.match(/"message":"outer"/g)).toHaveLength(2);
    expect(text).not.toContain(SECRET);
  });

  it('survives what goes round in circles', async () => {
    const circle: Record<string, unknown> = { name: 'a' };
    circle.self = circle;
    expect(await written((log) => log.info({ circle }, 'round'))).toContain('round');
  });
});
