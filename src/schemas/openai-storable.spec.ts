import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { storable } from '../contracts/text.js';
import { ChatCompletionSchema } from './openai-chat.js';
import { CompletionSchema } from './openai-completions.js';
import { EmbeddingsSchema } from './openai-embeddings.js';

/** Texts with what a database cannot keep: NULs and halves of surrogate pairs, among others. */
const odd = fc
  .array(fc.constantFrom('a', '🌻', '\0', '\uD800', '\uDC00', '\n', '"', '\\', '=', '__proto__'), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => `x${parts.join('')}`);
const pairs = fc.dictionary(odd, odd, { maxKeys: 3 });
const json = fc.record({ type: odd, properties: fc.dictionary(odd, pairs, { maxKeys: 2 }), enum: fc.array(odd) });

/** Every text in a value, names among them. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => [name, ...textsIn(part)]);
}

function keepsAll(submission: unknown): void {
  const texts = textsIn(submission);
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.filter((text) => storable(text) !== text)).toEqual([]);
}

const about = { model: odd, user: odd, safety_identifier: odd, metadata: fc.dictionary(odd, odd, { maxKeys: 3 }) };
const withDao = fc.record({ dao_id: odd, user_id: odd });
const dialect = { stop: fc.array(odd, { maxLength: 2 }), guided_json: json, guided_choice: fc.array(odd), think: odd };

const call = fc.record({ name: odd, arguments: fc.oneof(odd, pairs) });
const image = odd.map((text) => `https://pictures.test/${text.replaceAll(/[\s\\]/g, '')}`);
const data = odd.map((text) => `data:image/png;base64,AAAA${text.replaceAll(/[^\0]/g, '')}`);
const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text: odd }),
  fc.record({ type: fc.constant('image_url'), image_url: fc.oneof(image, data) }),
  fc.record({ type: fc.constant('image_url'), image_url: fc.record({ url: fc.oneof(image, data) }) }),
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer'), content: odd, name: odd }),
  fc.record({ role: fc.constant('user'), content: fc.oneof(odd, fc.array(part, { minLength: 1 })), name: odd }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.oneof(odd, fc.constant([{ type: 'refusal', refusal: 'no\0' }])),
    tool_calls: fc.array(fc.record({ id: odd, function: call })),
    function_call: call,
  }),
  fc.record({ role: fc.constant('tool'), tool_call_id: odd, content: odd }),
);
const definition = fc.record({ name: odd, description: odd, parameters: json });
const format = fc.record({ name: fc.constant('n'), description: odd, schema: json });
const chat = fc.record({
  ...about,
  ...dialect,
  messages: fc.array(message, { minLength: 1, maxLength: 4 }),
  tools: fc.array(fc.record({ type: fc.constant('function'), function: definition }), { maxLength: 2 }),
  response_format: fc.record({ type: fc.constant('json_schema'), json_schema: fc.oneof(format, json) }),
});

it('keeps of a conversation nothing that the database cannot', () => {
  fc.assert(
    fc.property(chat, withDao, (body, named) => {
      keepsAll(ChatCompletionSchema.parse({ ...body, metadata: { ...body.metadata, ...named } }).submission);
    }),
  );
});

it('keeps the same of functions', () => {
  fc.assert(
    fc.property(definition, (given) => {
      const functions = { functions: [given], function_call: { name: given.name } };
      const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], ...functions };
      keepsAll(ChatCompletionSchema.parse(body).submission);
    }),
  );
});

it('keeps the same of a prompt', () => {
  fc.assert(
    fc.property(fc.record({ ...about, ...dialect, prompt: odd }), (body) => {
      keepsAll(CompletionSchema.parse(body).submission);
    }),
  );
});

it('keeps the same of texts for vectors', () => {
  fc.assert(
    fc.property(fc.record({ ...about, input: fc.array(odd, { minLength: 1, maxLength: 3 }) }), (body) => {
      keepsAll(EmbeddingsSchema.parse(body).submission);
    }),
  );
});
