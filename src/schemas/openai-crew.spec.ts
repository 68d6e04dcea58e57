import { describe, expect, it } from '@jest/globals';
import { ChatCompletionSchema, type ChatRequest } from './openai-chat.js';

const read = (content: string, more: object = {}): ChatRequest =>
  ChatCompletionSchema.parse({ model: 'crew/task_decomposition', messages: [{ role: 'user', content }], ...more });

describe('a model that is a crew', () => {
  it('should be told the last words', () => {
    const { submission } = read('now', {
      messages: [
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'done' },
        { role: 'user', content: 'Make a garden' },
      ],
    });
    expect(submission).toMatchObject({
      mode: 'crew',
      prompt: 'Make a garden',
      source: 'openai',
      crew: { id: 'task_decomposition', inputs: {} },
    });
    expect(submission.call).toBeUndefined();
  });

  it('should be given a JSON object as its inputs', () => {
    const { prompt, crew } = read(' {"task": "Make a garden", "__proto__": {"x": 1}}').submission;
    expect([prompt, crew?.inputs.task]).toEqual(['', 'Make a garden']);
    expect({}).not.toHaveProperty('x');
  });

  it.each(['{"task": ', '[1]', '"text"', '7', '{not json}'])('should take %s for words', (content) => {
    expect(read(content).submission).toMatchObject({ prompt: content, crew: { inputs: {} } });
  });

  it('should name what means nothing to it', () => {
    const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
    const { style } = read('x', { temperature: 1, max_tokens: 5, seed: 3, tools: [tool], top_k: 4, odd: true });
    expect(style.ignored.toSorted()).toEqual(['max_tokens', 'odd', 'seed', 'temperature', 'tools', 'top_k']);
  });
});
