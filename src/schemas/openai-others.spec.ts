import { describe, expect, it } from '@jest/globals';
import { CompletionSchema } from './openai-completions.js';
import { EmbeddingsSchema } from './openai-embeddings.js';

const MODEL = { model: 'provider/local' };

describe('a body of /v1/completions', () => {
  const read = (body: object) => CompletionSchema.parse({ ...MODEL, prompt: 'Once', ...body });

  it.each(['Once', ['Once']])('puts the prompt to a model as what a user says: %j', (prompt) => {
    const { submission, style } = read({
      prompt,
      max_tokens: 9,
      stop: 'END',
      logprobs: 3,
      top_k: 4,
      user: 'u',
      odd: 1,
    });
    expect(submission).toEqual({
      ...{ prompt: 'Once', mode: 'chat', source: 'openai', model: 'provider/local', metadata: { user: 'u' } },
      call: {
        kind: 'chat',
        messages: [{ role: 'user', content: 'Once' }],
        options: { maxTokens: 9, stop: ['END'], logprobs: 3, dialect: { top_k: 4 } },
      },
    });
    expect(style.ignored).toEqual(['odd']);
  });

  it('says nothing of a length that the client does not name', () => {
    expect(read({ echo: false, best_of: 1, suffix: '' }).submission.call).toMatchObject({ options: {} });
  });

  it.each<[object, string]>([
    [{ prompt: ['a', 'b'] }, 'prompt'],
    [{ prompt: [1, 2] }, 'prompt'],
    [{ prompt: [[1, 2]] }, 'prompt'],
    [{ prompt: undefined }, 'prompt'],
    [{ suffix: 'x' }, 'suffix'],
    [{ echo: true }, 'echo'],
    [{ best_of: 2 }, 'best_of'],
    [{ n: 2 }, 'n'],
    [{ logprobs: 6 }, 'logprobs'],
  ])('refuses %j', (body, param) => {
    const { error } = CompletionSchema.safeParse({ ...MODEL, prompt: 'Once', ...body });
    expect(error?.issues.map(({ path }) => path[0])).toEqual([param]);
  });
});

describe('a body of /v1/embeddings', () => {
  it.each<[unknown, string[]]>([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  ])('reads %j', (input, expected) => {
    const { submission, style } = EmbeddingsSchema.parse({ ...MODEL, input, dimensions: 8, encoding_format: 'base64' });
    expect(submission.call).toEqual({ kind: 'embeddings', input: expected, dimensions: 8 });
    expect(submission.prompt).toBe(expected.join('\n'));
    expect(style).toEqual({ model: 'provider/local', base64: true, ignored: [] });
  });

  it('keeps of many texts the beginning as what was asked, and all of them as what is to be done', () => {
    const input = ['x'.repeat(16_383), '🌻', 'y'.repeat(20_000)];
    const { submission } = EmbeddingsSchema.parse({ ...MODEL, input });
    expect(submission.prompt).toBe(`${'x'.repeat(16_383)}\n`);
    expect(submission.call).toMatchObject({ input });
    const cut = EmbeddingsSchema.parse({ ...MODEL, input: `${'x'.repeat(16_383)}🌻` });
    expect(cut.submission.prompt).toBe('x'.repeat(16_383));
  });

  it('keeps what a client says of its own users', () => {
    const { submission, style } = EmbeddingsSchema.parse({ ...MODEL, input: 'a', user: 'u', safety_identifier: 's\0' });
    expect(submission.metadata).toEqual({ user: 'u', safety_identifier: 's' });
    expect(style.ignored).toEqual([]);
  });

  it.each<[object, string]>([
    [{ input: '' }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: ['a', ''] }, 'input'],
    [{ input: [1, 2] }, 'input'],
    [{ input: [[1]] }, 'input'],
    [{ input: Array.from({ length: 257 }, () => 'a') }, 'input'],
    [{ dimensions: 0 }, 'dimensions'],
    [{ encoding_format: 'hex' }, 'encoding_format'],
  ])('refuses %j', (body, param) => {
    const { error } = EmbeddingsSchema.safeParse({ ...MODEL, input: 'a', ...body });
    expect(error?.issues.map(({ path }) => path[0])).toEqual([param]);
  });
});
