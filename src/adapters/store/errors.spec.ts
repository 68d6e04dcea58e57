import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../errors/app-error.js';
import { guardStore, isStoreAway } from './errors.js';

const coded = (code: unknown, message = 'm'): Error => Object.assign(new Error(message), { code });

const AWAY = ['08006', '08001', '53300', '57P01', '57P02', '57P03', '58030', '25P03', '25P04'];
const NETWORK = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
];
/** A lock or a statement that took too long: the session goes on. */
const TOO_LONG = ['55P03', '57014'];
/** Unique, not null, syntax, serialisation, deadlock, no transaction. */
const WRONG = ['23505', '23502', '42601', '40001', '40P01', '22021', '25P01'];
const TEXTS = [
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error and is not queryable',
  'PGlite is closed',
];

describe('isStoreAway', () => {
  it.each([...AWAY, ...NETWORK])('takes code %s for a database that is away', (code) => {
    expect(isStoreAway(coded(code))).toBe(true);
  });

  it.each([...WRONG, ...TOO_LONG])('does not take code %s, of one statement, for a database that is away', (code) => {
    expect(isStoreAway(coded(code))).toBe(false);
  });

  it.each(TEXTS)('knows the text "%s" that comes without a code', (text) => {
    expect(isStoreAway(new Error(text))).toBe(true);
  });

  it('looks into an error of several addresses', () => {
    expect(isStoreAway(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]))).toBe(true);
    expect(isStoreAway(new AggregateError([coded('42601')]))).toBe(false);
  });

  it('knows its own translation, and takes no other error of the product for it', () => {
    expect(isStoreAway(new AppError('STORE_UNAVAILABLE'))).toBe(true);
    expect(isStoreAway(new AppError('TEMPORAL_UNAVAILABLE'))).toBe(false);
  });

  it.each([undefined, null, 'ECONNREFUSED', { code: 'ECONNREFUSED' }])(
    'does not take %j, no error, for one',
    (value) => {
      expect(isStoreAway(value)).toBe(false);
    },
  );

  it('does not stumble over a code that is no text', () => {
    expect(isStoreAway(coded(8))).toBe(false);
  });
});

describe('guardStore', () => {
  const outcomeOf = (error: unknown): Promise<unknown> =>
    guardStore(() => Promise.reject(error as Error)).catch((caught: unknown) => caught);

  it('passes the result on', async () => {
    expect(await guardStore(() => Promise.resolve(7))).toBe(7);
  });

  it('turns a database that is away into STORE_UNAVAILABLE and keeps the cause', async () => {
    const cause = coded('ECONNREFUSED');
    const error = await outcomeOf(cause);
    expect(error).toMatchObject({ name: 'AppError', code: 'STORE_UNAVAILABLE', status: 503, cause });
  });

  it.each(TOO_LONG)('turns code %s, of what took too long, into STORE_UNAVAILABLE', async (code) => {
    const cause = coded(code);
    expect(await outcomeOf(cause)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterSeconds: 2, cause });
  });

  it('passes every other error on as it is', async () => {
    const wrong = coded('23505');
    const own = new AppError('STORE_UNAVAILABLE');
    expect(await outcomeOf(wrong)).toBe(wrong);
    expect(await outcomeOf(own)).toBe(own);
  });
});
