import { describe, expect, it } from '@jest/globals';
import { toCliError } from './error-answer.js';

const told = (error: object, rest: object = {}, retryAfterSeconds?: number): string => {
  const body = { ok: false, error: { code: 'CODE', message: 'No.', ...error }, ...rest };
  return toCliError({ status: 503, body, retryAfterSeconds }).message;
};

describe(toCliError, () => {
  it('has the code, the sentence and the detail of the answer', () => {
    const error = toCliError({
      status: 404,
      body: { error: { code: 'REQUEST_UNKNOWN', message: 'No such.', id: 'r' } },
    });
    expect(error).toMatchObject({ code: 'REQUEST_UNKNOWN', message: 'No such.', detail: { id: 'r' } });
  });

  it.each(['', undefined, 'Bad Gateway', { error: 'no' }, { error: { code: 1, message: 'x' } }, []])(
    'says of %j that it is none of the product',
    (body) => {
      expect(toCliError({ status: 502, body })).toMatchObject({ code: 'BAD_ANSWER' });
    },
  );

  it('names what was tried, and why each failed', () => {
    const attempts = [
      { provider: 'ollama', status: 'failed', ms: 3, error: 'ProviderUnavailable' },
      { provider: 'deepseek', status: 'skipped', ms: 0, error: 'CoolingDown' },
    ];
    expect(told({}, { attempts })).toBe('No. Attempts: ollama: ProviderUnavailable, deepseek: CoolingDown.');
    expect(told({}, { attempts: [{ provider: 'a', status: 'ok', ms: 1 }] })).toBe('No.');
    expect(told({}, { attempts: 'many' })).toBe('No.');
  });

  it('says when to come back, from the header or from the body', () => {
    expect(told({ message: 'All rest. Come back after Retry-After.' }, {}, 5)).toBe('All rest. Come back in 5 s.');
    expect(told({ message: 'Away; try again shortly.' }, {}, 2)).toBe('Away; try again shortly. Come back in 2 s.');
    expect(told({ message: 'Come back in 37 s.' }, {}, 37)).toBe('Come back in 37 s.');
    expect(told({ retry_after_s: 4 })).toBe('No. Come back in 4 s.');
  });

  it('names the entitlement that is lacking, and the roles that lack it', () => {
    const lack = { required_entitlement: 'chat.write', roles: ['guest'] };
    expect(told(lack)).toBe('No. chat.write is needed and the role is guest.');
    expect(told({ ...lack, roles: ['guest', 'keeper'] })).toBe(
      'No. chat.write is needed and the roles are guest, keeper.',
    );
    expect(told({ ...lack, roles: [] })).toBe('No. chat.write is needed.');
    expect(told({ ...lack, message: 'To give chat.write takes it.' })).toBe('To give chat.write takes it.');
  });
});
