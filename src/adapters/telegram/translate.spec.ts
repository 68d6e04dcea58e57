import { describe, expect, it } from '@jest/globals';
import { GrammyError, HttpError } from 'grammy';
import type { ResponseParameters } from 'grammy/types';
import { DeliveryError } from '../../errors/delivery-error.js';
import { isTooLate, isUnchanged, translateTelegramError } from './translate.js';

const TOKEN = '7000000001:secret-of-the-tests-aaaaaaaaaaaaaaa';
const context = { method: 'sendMessage', token: TOKEN };

const answer = (error_code: number, description: string, parameters: ResponseParameters = {}) =>
  new GrammyError('Call failed!', { ok: false, error_code, description, parameters }, 'sendMessage', {
    text: 'of members',
  });
const network = (facts: object) =>
  new HttpError('Network request failed!', Object.assign(new Error(`request to http://x/bot${TOKEN}/m failed`), facts));

const translated = (error: unknown) => {
  const { problem, message, detail } = translateTelegramError(error, context);
  return { problem, message, ...detail };
};

describe('an answer of the Bot API', () => {
  it.each([
    [429, 'Too Many Requests: retry after 7', { retry_after: 7 }, { problem: 'limited', retryAfterMs: 7_000 }],
    [429, 'Too Many Requests', {}, { problem: 'limited', retryAfterMs: 1_000 }],
    [403, 'Forbidden: bot was blocked by the user', {}, { problem: 'closed' }],
    [403, 'Forbidden: bot was kicked from the group chat', {}, { problem: 'closed' }],
    [403, 'Forbidden: user is deactivated', {}, { problem: 'closed' }],
    [400, 'Bad Request: chat not found', {}, { problem: 'closed' }],
    [400, 'Bad Request: not enough rights to send text messages to the chat', {}, { problem: 'closed' }],
    [
      ...([400, 'Bad Request: group chat was upgraded to a supergroup chat'] as const),
      ...([{ migrate_to_chat_id: -1_001_234 }, { problem: 'moved', movedTo: '-1001234' }] as const),
    ],
    [400, 'Bad Request: message to edit not found', {}, { problem: 'missing' }],
    [400, "Bad Request: message can't be edited", {}, { problem: 'missing' }],
    [400, 'Bad Request: message to delete not found', {}, { problem: 'missing' }],
    [400, "Bad Request: can't parse entities: Character '.' is reserved", {}, { problem: 'refused' }],
    [400, 'Bad Request: ENTITY_BOUNDS_INVALID', {}, { problem: 'refused' }],
    [400, 'Bad Request: message is too long', {}, { problem: 'refused' }],
    [413, 'Request Entity Too Large', {}, { problem: 'refused' }],
    [500, 'Internal Server Error', {}, { problem: 'unreachable', maybeDone: true }],
    [502, 'Bad Gateway', {}, { problem: 'unreachable', maybeDone: true }],
    [409, 'Conflict: terminated by other getUpdates request', {}, { problem: 'unreachable' }],
    [undefined as unknown as number, 'made by a proxy', {}, { problem: 'unreachable', maybeDone: true }],
  ] as const)('%s %s', (code, description, parameters, expected) => {
    const { message, ...rest } = translated(answer(code, description, parameters));
    expect(rest).toEqual(expected);
    expect(message).not.toBe('');
  });

  it('names the variable of the token, not the token, where the bot is not known', () => {
    for (const code of [401, 404]) {
      expect(translated(answer(code, 'Unauthorized'))).toEqual({
        problem: 'unreachable',
        message: `Telegram does not know this bot (HTTP ${code}): check TELEGRAM_BOT_TOKEN`,
      });
    }
  });

  it('passes on a description, cut, and without the token', () => {
    expect(translated(answer(400, `Bad Request: no /bot${TOKEN}/ here`)).message).toBe(
      'Telegram refused sendMessage: Bad Request: no /bot[token]/ here',
    );
    expect(translated(answer(400, 'x'.repeat(9_999))).message).toHaveLength(200);
  });
});

describe('no answer', () => {
  it.each([
    [{ code: 'ECONNREFUSED' }, false],
    [{ code: 'ENOTFOUND' }, false],
    [{ code: 'ECONNRESET' }, true],
    [{ code: 'ETIMEDOUT' }, true],
    [{ name: 'AbortError' }, true],
    [{ type: 'invalid-json' }, true],
    [{ code: TOKEN }, true],
    [{}, true],
  ])('of %j may have been done: %p', (facts, maybeDone) => {
    const { message, ...rest } = translated(network(facts));
    expect(rest).toEqual({ problem: 'unreachable', maybeDone });
    expect(message).toMatch(/^Telegram (does not answer|did not answer|answered with something)/);
  });

  it.each([undefined, null, 'text', 7, {}, new Error(TOKEN)])(
    'is made of anything that can be thrown: %p',
    (thrown) => {
      const { problem, message } = translated(thrown);
      expect(problem).toBe('unreachable');
      expect(message).not.toContain(TOKEN);
    },
  );
});

it('leaves what was translated before', () => {
  const error = new DeliveryError('limited', 'wait');
  expect(translateTelegramError(error, context)).toBe(error);
});

it('Telegram case 14: keeps nothing of what was thrown', () => {
  for (const error of [network({ code: 'ECONNRESET' }), answer(400, 'no'), new Error(TOKEN)]) {
    const { cause, ...own } = translateTelegramError(error, context) as Error;
    expect(cause).toBeUndefined();
    expect(Object.keys(own).sort()).toEqual(['detail', 'name', 'problem']);
  }
});

it('knows an edit that changes nothing, and an answer that comes too late', () => {
  expect(isUnchanged(answer(400, 'Bad Request: message is not modified: specified new message content'))).toBe(true);
  expect(isUnchanged(answer(400, 'Bad Request: message to edit not found'))).toBe(false);
  expect(isTooLate(answer(400, 'Bad Request: query is too old and response timeout expired'))).toBe(true);
  expect(isTooLate(answer(403, 'Bad Request: query is too old'))).toBe(false);
  expect(isUnchanged(new Error('message is not modified'))).toBe(false);
});
