import { describe, expect, it } from '@jest/globals';
import { aCall } from '../../../test/factories/generate-call.js';
import type { CallOptions, ChatMessage } from '../../contracts/chat.js';
import { EmbeddedProvider } from './embedded.js';
import { embeddedCall } from './embedded-call.js';
import { ProviderError } from './provider.js';

const parameterOf = (options: CallOptions, messages: ChatMessage[] = [{ role: 'user', content: 'a' }]): unknown => {
  try {
    embeddedCall(aCall('', { options, messages }));
  } catch (error) {
    if (error instanceof ProviderError) return error.toFailure().parameter;
    throw error;
  }
  return 'accepted';
};

describe('embeddedCall', () => {
  it('says as little as before to a call of ours', () => {
    const { maxTokens, temperature, topP, messages } = aCall('hello');
    expect(embeddedCall(aCall('hello'))).toEqual({ maxTokens, temperature, topP, messages });
  });

  it('holds what a client wants', () => {
    const options: CallOptions = { stop: ['END', ''], seed: -1, presencePenalty: 0, frequencyPenalty: 0.5 };
    expect(embeddedCall(aCall('a', { options }))).toMatchObject({
      stop: ['END'],
      seed: 0xffffffff,
      presencePenalty: 0,
      frequencyPenalty: 0.5,
    });
    expect(embeddedCall(aCall('a', { options: { stop: [''], seed: 7 } }))).not.toHaveProperty('stop');
    const format = (responseFormat: CallOptions['responseFormat']) =>
      embeddedCall(aCall('a', { options: { ...(responseFormat && { responseFormat }) } })).format;
    expect(format({ type: 'json_object' })).toEqual({ type: 'json' });
    expect(format({ type: 'json_schema', name: 'n', schema: { const: 1 } })).toEqual({
      type: 'schema',
      schema: { enum: [1] },
    });
  });

  it('joins parts of text', () => {
    const content = [
      { type: 'text' as const, text: 'a' },
      { type: 'text' as const, text: 'b' },
    ];
    const messages: ChatMessage[] = [
      { role: 'system', content },
      { role: 'assistant', content: null, toolCalls: [] },
    ];
    expect(embeddedCall(aCall('', { messages })).messages).toEqual([
      { role: 'system', content: 'a\nb' },
      { role: 'assistant', content: '' },
    ]);
  });

  it('refuses what this model cannot do, under its name', () => {
    const tools = [{ name: 'look' }];
    expect(parameterOf({ tools })).toBe('tools');
    expect(parameterOf({ tools, toolChoice: 'none' })).toBe('accepted');
    expect(parameterOf({}, [{ role: 'tool', toolCallId: 'a', content: 'b' }])).toBe('messages');
    const toolCalls = [{ id: 'a', name: 'look', arguments: '' }];
    expect(parameterOf({}, [{ role: 'assistant', content: 'a', toolCalls }])).toBe('messages');
    expect(parameterOf({}, [{ role: 'user', content: [{ type: 'image', url: 'data:' }] }])).toBe('messages');
    expect(parameterOf({ responseFormat: { type: 'json_schema', name: 'n', schema: { not: {} } } })).toBe(
      'response_format',
    );
  });
});

describe('facts of the embedded model', () => {
  it('are known without starting it', async () => {
    const sut = new EmbeddedProvider({ name: 'embedded', modelPath: '/models/Small.Q4.gguf' });
    expect(await sut.facts()).toEqual({
      model: 'Small.Q4',
      contextLength: 2_046,
      capabilities: ['completion', 'json_schema'],
      lacks: expect.not.arrayContaining(['reasoning_effort', 'response_format', 'seed', 'stop']),
    });
    expect(sut.pid).toBeUndefined();
  });
});
