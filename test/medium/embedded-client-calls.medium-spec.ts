import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { EmbeddedProvider } from '../../src/adapters/llm/embedded.js';
import type { CallOptions, ResponseFormat } from '../../src/contracts/chat.js';
import { aCall, collect, failureOf, type Collected } from '../factories/generate-call.js';
import { embeddedModelPath } from '../support/embedded-model.js';

const SLOW = 120_000;

let sut: EmbeddedProvider;

const ask = (prompt: string, options: CallOptions, over: Parameters<typeof aCall>[1] = {}): Promise<Collected> =>
  collect(sut.generate(aCall(prompt, { options, maxTokens: 600, signal: AbortSignal.timeout(60_000), ...over })));

const schemaOf = (schema: Record<string, unknown>): { responseFormat: ResponseFormat } => ({
  responseFormat: { type: 'json_schema', name: 'answer', schema },
});

beforeAll(async () => {
  sut = new EmbeddedProvider({ name: 'embedded', modelPath: await embeddedModelPath() });
  await sut.warmUp(AbortSignal.timeout(SLOW));
}, 300_000);
afterAll(() => sut.close());

describe('a client of its own conversation', () => {
  const PERSON = {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'Full name' },
      mark: { type: 'integer', minimum: 1, maximum: 5 },
      born: { type: 'string', format: 'date' },
      mood: { enum: ['glad', 'sad', null] },
      tags: { type: 'array', items: { type: 'string' } },
      pet: { anyOf: [{ $ref: '#/$defs/Pet' }, { type: 'null' }] },
      notes: { type: 'object', additionalProperties: { type: 'string', maxLength: 20 }, maxProperties: 2 },
    },
    required: ['name', 'mark', 'tags'],
    additionalProperties: false,
    $defs: {
      Pet: {
        type: 'object',
        properties: { kind: { const: 'dog' }, friends: { type: 'array', items: { $ref: '#/$defs/Pet' }, maxItems: 1 } },
      },
    },
  };

  it.each([0, 0.2, 1.2])(
    'gets an answer that fits its schema, at temperature %s',
    async (temperature) => {
      const prompt = 'Make up a person as JSON with name, mark, date of birth, mood, tags, a pet and notes.';
      // With a seed: at this temperature one answer in many is longer than there is room for.
      const options = { ...schemaOf(PERSON), seed: 7 };
      const { text, finishReason } = await ask(prompt, options, { temperature, maxTokens: 1_200 });
      expect(finishReason).toBe('stop');
      const validate = new Ajv({ strict: false, validateFormats: false }).compile(PERSON);
      expect([validate(JSON.parse(text)), validate.errors]).toEqual([true, null]);
      expect(text).toBe(text.trim());
    },
    SLOW,
  );

  it(
    'gets an end where its schema has none',
    async () => {
      const list = { type: 'object', properties: { words: { type: 'array', items: { type: 'string' } } } };
      const prompt = 'Say the word "tree" again and again, for ever, as JSON.';
      const { text, finishReason } = await ask(prompt, schemaOf(list), { temperature: 0, maxTokens: 1_500 });
      expect(finishReason).toBe('stop');
      expect((JSON.parse(text) as { words: string[] }).words.length).toBeLessThanOrEqual(8);
    },
    SLOW,
  );

  it(
    'gets any object',
    async () => {
      const options: CallOptions = { responseFormat: { type: 'json_object' } };
      // The likeliest words: any object may also be one that is longer than there is room for.
      const { text, finishReason } = await ask('What is the capital of France? Answer as JSON.', options, {
        temperature: 0,
      });
      expect(finishReason).toBe('stop');
      expect(JSON.parse(text)).toEqual(expect.any(Object));
    },
    SLOW,
  );

  it(
    'is told which schema cannot be kept to, and the next call is not harmed',
    async () => {
      const endless = { type: 'array', minItems: 1_000, items: { type: 'string' } };
      const { error } = await failureOf(sut.generate(aCall('a', { options: schemaOf(endless) })));
      expect(error.toFailure()).toMatchObject({ type: 'ProviderRejected', parameter: 'response_format' });
      const pid = sut.pid;
      expect((await ask('Say hello.', {})).text).not.toBe('');
      expect(sut.pid).toBe(pid);
    },
    SLOW,
  );

  it(
    'stops the answer with a text, which is no part of it',
    async () => {
      const prompt = 'What is the capital of France?';
      const whole = await ask(prompt, {}, { temperature: 0 });
      const at = whole.text.indexOf('Paris');
      const { text, finishReason } = await ask(prompt, { stop: ['zebra', 'ari'] }, { temperature: 0 });
      expect([text, finishReason]).toEqual([whole.text.slice(0, at + 1), 'stop']);
      const unstopped = await ask(prompt, { stop: ['zebra'] }, { temperature: 0 });
      expect(unstopped.text).toBe(whole.text);
    },
    SLOW,
  );

  it(
    'may get nothing at all, and is told when it was cut',
    async () => {
      const { text, finishReason } = await ask('What is the capital of France?', { stop: ['The'] }, { temperature: 0 });
      expect([text, finishReason]).toEqual(['', 'stop']);
      const cut = await ask('Tell me a story.', { stop: ['zebra'] }, { maxTokens: 5 });
      expect(cut.finishReason).toBe('length');
    },
    SLOW,
  );

  it(
    'gets the same answer for the same seed, and may say how dear words grow',
    async () => {
      const story = (options: CallOptions): Promise<string> =>
        ask('Tell me a story.', options, { temperature: 1.5, maxTokens: 30 }).then(({ text }) => text);
      const first = await story({ seed: 5 });
      expect(await story({ seed: 5 })).toBe(first);
      expect(await story({ seed: 6 })).not.toBe(first);
      expect(await story({ seed: 5, presencePenalty: 2, frequencyPenalty: 2 })).not.toBe(first);
    },
    SLOW,
  );

  it(
    'may begin the answer itself',
    async () => {
      const messages = [
        { role: 'user' as const, content: 'What is the capital of France?' },
        { role: 'assistant' as const, content: 'The capital of France is' },
      ];
      const { text } = await ask('', {}, { messages, temperature: 0 });
      expect(text).toMatch(/Paris/);
    },
    SLOW,
  );
});
