import { describe, expect, it } from '@jest/globals';
import { LACKS, readEntry, usualCapabilities } from './openai-facts.js';

const USUAL = usualCapabilities('openai-compatible', 'm');
const told = (entry: object): ReturnType<typeof readEntry> => readEntry({ id: 'm', object: 'model', ...entry }, USUAL);

describe('the context length of an entry', () => {
  it.each<[object, number | undefined]>([
    [{ context_length: 8_192 }, 8_192],
    [{ context_window: 131_072 }, 131_072],
    [{ max_model_len: 4_096 }, 4_096],
    [{ max_context_length: 32_768 }, 32_768],
    [{ max_context_length: 32_768, loaded_context_length: 4_096 }, 4_096],
    [{ meta: { n_ctx_train: 40_960 } }, 40_960],
    [{ meta: null, context_length: null }, undefined],
    [{ context_length: 'long', context_window: 7 }, 7],
    [{ context_length: 0 }, undefined],
    [{}, undefined],
  ])('%j: %s', (entry, length) => {
    expect(told(entry).contextLength).toBe(length);
  });
});

describe('the capabilities of an entry', () => {
  it.each<[string, object, string[] | undefined]>([
    ['our own words as they are', { capabilities: ['completion', 'vision'] }, ['completion', 'vision']],
    ['our own, for vectors', { capabilities: ['embeddings'] }, ['embeddings']],
    ['LM Studio’s', { capabilities: ['tool_use'] }, ['completion', 'tools', 'json_schema']],
    [
      'Mistral’s',
      { capabilities: { completion_chat: true, completion_fim: false, function_calling: false, vision: true } },
      ['completion', 'json_schema', 'vision'],
    ],
    [
      'flags of LM Studio',
      { capabilities: { vision: false, trained_for_tool_use: true } },
      ['completion', 'tools', 'json_schema'],
    ],
    [
      'OpenRouter’s',
      {
        supported_parameters: ['tools', 'structured_outputs', 'reasoning', 'seed'],
        architecture: { input_modalities: ['text', 'image'] },
      },
      ['completion', 'tools', 'json_schema', 'vision', 'thinking'],
    ],
    [
      'OpenRouter’s, of a plain model',
      { supported_parameters: ['seed'], architecture: { input_modalities: ['text'] } },
      ['completion'],
    ],
    ['for vectors in other words', { capabilities: ['embedding', 'x'] }, ['embeddings']],
    ['nothing that we know', { capabilities: ['x', 'y'] }, undefined],
    ['nothing', { capabilities: [] }, undefined],
    ['no list', { capabilities: 'all', architecture: 7, supported_parameters: {} }, undefined],
  ])('%s', (_whose, entry, capabilities) => {
    expect(told(entry).capabilities).toEqual(capabilities);
  });

  it('tells nothing where there is no entry', () => {
    expect([readEntry(undefined, USUAL), readEntry('m', USUAL)]).toEqual([{}, {}]);
  });
});

it('lacks of vLLM’s dialect what binds an answer, where it is not spoken', () => {
  const guided = ['guided_json', 'guided_regex', 'guided_choice'];
  expect(LACKS).toEqual({
    openai: guided,
    deepseek: ['logit_bias', 'parallel_tool_calls', ...guided],
    'openai-compatible': [],
  });
});

it.each([
  ['openai', 'gpt-4.1', ['completion', 'tools', 'json_schema', 'vision']],
  ['openai', 'text-embedding-3-small', ['embeddings']],
  ['openai-compatible', 'nomic-embed-text:latest', ['embeddings']],
  ['openai-compatible', 'embedded-assistant', ['completion', 'tools', 'json_schema']],
  ['deepseek', 'deepseek-chat', ['completion', 'tools']],
  ['openai-compatible', null, ['completion', 'tools', 'json_schema']],
] as const)('usual at %s for %s', (kind, model, capabilities) => {
  expect(usualCapabilities(kind, model)).toEqual(capabilities);
});
