import { describe, expect, it } from '@jest/globals';
import { REQUEST_STATUSES } from '../contracts/request.js';
import { isFinal, requestBody, routeEvent, type BodySource } from './bodies.js';

const source = (part: Partial<BodySource> = {}): BodySource => ({
  id: 'r1',
  mode: 'chat',
  status: 'completed',
  decision: {
    mode: 'chat',
    rule: 'chat-rule',
    chain: [],
    roles: ['member'],
    entitlements: ['chat.write'],
    deadlineMs: 120_000,
    configHash: 'abc',
  },
  provider: 'embedded',
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  attempts: [{ provider: 'embedded', status: 'ok', ms: 12 }],
  timings: { gateway: 1, rbac: 2, queue: 3, llm: 12, total: 20 },
  error: null,
  answer: 'Seven days.',
  finishReason: 'length',
  origin: { step: 'provider' },
  ...part,
});

describe('requestBody', () => {
  it('gives a complete answer the whole body', () => {
    expect(requestBody(source())).toEqual({
      ok: true,
      request_id: 'r1',
      workflow_id: 'route/r1',
      status: 'completed',
      mode: 'chat',
      rule: 'chat-rule',
      provider: 'embedded',
      data: { text: 'Seven days.', finish_reason: 'length' },
      rbac: { roles: ['member'], entitlements: ['chat.write'] },
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
      attempts: [{ provider: 'embedded', status: 'ok', ms: 12 }],
      timings_ms: { gateway: 1, rbac: 2, queue: 3, llm: 12, total: 20 },
      origin: { step: 'provider' },
    });
  });

  it('says how old a kept answer is, that no provider gave', () => {
    const origin = { step: 'cache', age_ms: 90_000 } as const;
    expect(requestBody(source({ provider: null, origin }))).toMatchObject({ ok: true, provider: null, origin });
  });

  it('has no data while there is no answer, and keeps what is known so far', () => {
    const body = requestBody(
      source({ status: 'running', provider: null, usage: null, answer: null, finishReason: null }),
    );
    expect(body).toMatchObject({ ok: true, status: 'running', provider: null, data: null, usage: null });
  });

  it('takes an empty answer for an answer', () => {
    expect(requestBody(source({ answer: '', finishReason: null }))).toMatchObject({
      data: { text: '', finish_reason: 'stop' },
    });
  });

  it('tells an error with the attempts, and shows no part of an answer beside it', () => {
    const error = { code: 'PROVIDER_FAILED', message: 'm' };
    const attempts = [{ provider: 'embedded', status: 'failed' as const, ms: 5, error: 'RateLimited' }];
    const body = requestBody(source({ status: 'failed', error, attempts }));
    expect(body).toMatchObject({ ok: false, request_id: 'r1', status: 'failed', error, attempts });
    expect(body).not.toHaveProperty('data');
  });
});

describe('requestBody of a tool', () => {
  const listed = { path: '.', entries: [], truncated: false };
  const decision = { ...source().decision, mode: 'devtools' as const, rule: 'devtools', tool: 'fs_list' as const };
  const tool = (part: Partial<BodySource> = {}): BodySource =>
    source({ mode: 'devtools', decision, provider: null, usage: null, answer: null, attempts: [], ...part });

  it('gives what the tool gave as it is, by the workflow of tools', () => {
    const body = requestBody(tool({ result: listed, origin: { step: 'tool' } }));
    const expected = {
      ok: true,
      workflow_id: 'devtools/r1',
      mode: 'devtools',
      provider: null,
      origin: { step: 'tool' },
    };
    expect(body).toMatchObject({ ...expected, rule: 'devtools', data: listed, attempts: [] });
  });

  it('has no data before the tool has ended', () => {
    expect(requestBody(tool({ status: 'running', origin: null }))).toMatchObject({ status: 'running', data: null });
  });

  it('tells a refusal, and nothing of a result beside it', () => {
    const error = { code: 'FILE_NOT_FOUND', message: 'There is no such file.' };
    const body = requestBody(tool({ status: 'failed', error, result: listed }));
    expect(body).toMatchObject({ ok: false, status: 'failed', error });
    expect(body).not.toHaveProperty('data');
  });

  it('begins its stream with the same workflow, and no provider', () => {
    const { data } = routeEvent('r1', decision);
    expect(data).toMatchObject({ workflow_id: 'devtools/r1', mode: 'devtools', rule: 'devtools', providers: [] });
  });
});

describe('routeEvent', () => {
  it('tells ids, rule and providers in their order, before every run of a model', () => {
    const policy = {
      ...{ shape: 'eager' as const, queue: 'q', timeoutMs: 1, queueTimeoutMs: 1 },
      ...{ maxTokens: 1, maxAttempts: 1, retryDelayMs: 1 },
    };
    const chain = ['first', 'second'].map((provider) => ({ provider, ...policy }));
    expect(routeEvent('r1', { ...source().decision, chain })).toEqual({
      type: 'route',
      data: {
        request_id: 'r1',
        workflow_id: 'route/r1',
        mode: 'chat',
        rule: 'chat-rule',
        providers: ['first', 'second'],
      },
      position: { generation: 0, offset: 0 },
    });
  });
});

describe('isFinal', () => {
  it('holds for everything but accepted and running', () => {
    expect(REQUEST_STATUSES.filter(isFinal)).toEqual(['completed', 'failed', 'cancelled']);
  });
});
