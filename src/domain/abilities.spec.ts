import { describe, expect, it } from '@jest/globals';
import type { CallOptions, ModelCall } from '../contracts/chat.js';
import { isDemanding, lackOf } from './abilities.js';

const TOOLS = { tools: [{ name: 'look' }] };
const chat = (options: CallOptions): ModelCall => ({
  kind: 'chat',
  messages: [{ role: 'user', content: 'x' }],
  options,
});
const lacking = (lacks: string[], options: CallOptions): string | undefined =>
  lackOf({ capabilities: ['completion'], lacks }, chat(options));

describe('what a dialect asks for', () => {
  it.each(['guided_json', 'guided_regex', 'guided_choice'])('%s is a need by its own name', (name) => {
    const options = { dialect: { top_k: 3, [name]: 'x' } };
    expect(isDemanding(chat(options))).toBe(true);
    expect(lacking([name], options)).toBe(name);
    expect(lacking([], options)).toBeUndefined();
  });

  it('is no need where an answer without it is still one', () => {
    expect(isDemanding(chat({ dialect: { top_k: 3, min_p: 0.1, thinking: true } }))).toBe(false);
  });
});

describe('a client that speaks of functions', () => {
  const old: CallOptions = { ...TOOLS, functions: true };

  it.each<[string[], CallOptions, string]>([
    [[], TOOLS, 'tools'],
    [[], old, 'functions'],
    [['logprobs'], { ...old, logprobs: 1 }, 'functions'],
    [['logprobs'], { functions: true, logprobs: 1 }, 'logprobs'],
  ])('with lacks %j and options %j is told of %s', (lacks, options, parameter) => {
    expect(lacking(lacks, options)).toBe(parameter);
  });

  it('is told of its choice by its own name', () => {
    const facts = { capabilities: ['tools'] as const, lacks: ['tool_choice'] };
    const choice = { toolChoice: { name: 'look' } };
    expect(lackOf(facts, chat({ ...TOOLS, ...choice }))).toBe('tool_choice');
    expect(lackOf(facts, chat({ ...old, ...choice }))).toBe('function_call');
  });
});
