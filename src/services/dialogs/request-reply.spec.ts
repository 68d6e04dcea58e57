import { describe, expect, it } from '@jest/globals';
import { strict } from '../../../test/factories/strict.js';
import type { RequestBody } from '../../contracts/bodies.js';
import type { ReplyContent } from '../../contracts/dialog.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import type { Accepted } from '../accepted.js';
import type { OutcomesService } from '../outcomes.service.js';
import type { ReplyWriter } from './reply-writer.js';
import { RequestReply } from './request-reply.js';

const BASE = { request_id: 'r1', workflow_id: 'w', rule: 'any', rbac: { roles: [], entitlements: [] }, timings_ms: {} };

const POSITION = { generation: 1, offset: 0 };

/** How a request ended that could not be answered. */
const failed = (code: string, error?: string): RequestBody => ({
  ...{ ...BASE, ok: false, mode: 'chat', status: 'failed', error: { code, message: 'No.' } },
  attempts: error === undefined ? [] : [{ provider: 'fake', status: 'failed', ms: 1, error }],
});

const answered = (text: string, reason: string): RequestBody => ({
  ...{
    ...BASE,
    ok: true,
    mode: 'chat',
    status: 'completed',
    provider: 'fake',
    usage: null,
    origin: null,
    attempts: [],
  },
  data: { text, finish_reason: reason },
});

/** What a chat is shown in the end, after so much text. */
async function shown(text: string, body: RequestBody): Promise<string> {
  let content: ReplyContent | undefined;
  async function* events(): ReturnType<OutcomesService['events']> {
    await Promise.resolve();
    if (text !== '') yield { type: 'token', data: { text }, position: POSITION };
    yield body.ok
      ? { type: 'done', data: body, position: POSITION }
      : { type: 'error', data: body, position: POSITION };
  }
  const writer = strict<ReplyWriter>('the writer', {
    isBegun: false,
    editEveryMs: 0,
    draft: () => Promise.resolve(),
    typing: () => Promise.resolve(),
    complete: (made) => Promise.resolve(void (content = made)),
  });
  const reply = new RequestReply(strict<OutcomesService>('outcomes', { events }), writer, phrasesIn('en'));
  await reply.write({ requestId: 'r1' } as Accepted, new AbortController().signal);
  return content?.body.text ?? '';
}

describe(RequestReply, () => {
  it.each([
    ['PROVIDER_TIMEOUT', undefined, 'Time ran out before the end of this answer.'],
    ['DEADLINE_EXCEEDED', undefined, 'Time ran out before the end of this answer.'],
    ['STREAM_INTERRUPTED', 'ProviderTimeout', 'Time ran out before the end of this answer.'],
    ['STREAM_INTERRUPTED', 'StreamInterrupted', 'The model broke off before the end of this answer.'],
  ])('should keep what came, and say honestly why there is no more: %s, %s', async (code, error, why) => {
    expect(await shown('Plant the **apples**', failed(code, error))).toBe(`Plant the apples …\n\n⚠️ ${why}`);
  });

  it('should keep what came before a stop', async () => {
    expect(await shown('Plant', failed('REQUEST_CANCELLED'))).toBe('Plant …\n\n✋ Stopped.');
    expect(await shown('', failed('REQUEST_CANCELLED'))).toBe('✋ Stopped.');
  });

  it('should say why where nothing came', async () => {
    expect(await shown('', failed('PROVIDER_TIMEOUT'))).toBe('⚠️ No. (PROVIDER_TIMEOUT)');
  });

  it('should mark an answer that was cut, and no other', async () => {
    expect(await shown('', answered('One, two, three', 'length'))).toMatch(
      /^One, two, three …\n\n✂️ The answer was cut/,
    );
    expect(await shown('', answered('One, two, three.', 'stop'))).toBe('One, two, three.');
  });
});
