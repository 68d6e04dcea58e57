import { z } from 'zod';
import { CAPABILITIES } from '../src/contracts/chat.js';
import { CALL_SHAPES } from '../src/contracts/request.js';
import { variableName } from './conditions-schema.js';
import { milliseconds } from './limits-schema.js';

/** What providers and rules are called. */
export const name = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{1,64}$/, 'expected letters, digits, "_", "-" and ".", at most 64 of them');

const ADDRESS = 'expected an address that begins with http:// or https://';
const dollars = z.number().min(0).max(1_000_000);

/** An address without a name and a password: a profile is stored and shown. */
const address = z
  .url({ protocol: /^https?$/, error: ADDRESS })
  .refine((url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''), {
    error: 'an address in a profile holds no name and password: name a key with `api_key_env`',
  });

/** Most calls at once that one Ollama host gets, whatever a profile says. */
export const MOST_PER_OLLAMA = 3;

const ConfigSchema = z
  .strictObject({
    base_url: address.describe('Address of the endpoint, with its version (…/v1) where it has one.'),
    model: z.string().min(1).max(256).describe('Else the model of the environment, or the first that it lists.'),
    context_length: z
      .number()
      .int()
      .min(1)
      .max(10_000_000)
      .describe('Tokens of prompt and answer together, in place of what the endpoint tells. ollama: asked for.'),
    capabilities: z
      .array(z.enum(CAPABILITIES))
      .min(1)
      .refine((names) => new Set(names).size === names.length, 'a capability is named twice')
      .meta({ uniqueItems: true })
      .describe('What the model can do, in place of what the endpoint tells.'),
    api_key_env: variableName.describe('The variable that holds the key. A key itself has no place in a file.'),
    max_tokens: z
      .number()
      .int()
      .min(1)
      .max(131_072)
      .describe('Longest answer; always sent. Default 512, embedded 160.'),
    temperature: z.number().min(0).max(2).describe('Default 0.7, embedded 0.2.'),
    top_p: z.number().gt(0).max(1).describe('Default 1.'),
    timeout_ms: milliseconds.describe('Longest time of one call, in milliseconds. Default 60000.'),
    max_attempts: z.number().int().min(1).max(5).describe('Tries before the next provider. Default 2.'),
    retry_delay_ms: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .describe('Pause between two tries, in milliseconds. Default 1000.'),
    shape: z.enum(CALL_SHAPES).describe('Where the call runs. Default queue for ollama, else eager.'),
    max_concurrent: z
      .number()
      .int()
      .min(1)
      .max(1_000)
      .describe('Most calls at once, of all processes. ollama: 1 to 3, default 3. Others: default any number.'),
    max_waiting: z.number().int().min(0).max(10_000).describe('Most requests that wait for a free call. Default 100.'),
    max_wait_ms: milliseconds.describe('Longest wait that a request may expect, in milliseconds. Default 30000.'),
    price: z
      .strictObject({
        prompt: dollars.describe('US dollars for a million tokens of prompts.'),
        completion: dollars.describe('US dollars for a million tokens of answers.'),
      })
      .describe('What tokens cost.'),
  })
  .partial();

export const ProviderSchema = z
  .strictObject({
    name: name.describe('What rules, attempts and answers call it.'),
    type: z.enum(['ollama', 'openai', 'deepseek', 'openai-compatible', 'embedded']).describe('What it speaks.'),
    config: ConfigSchema.default({}).describe('How it is reached, and what a call may cost.'),
  })
  .superRefine(({ type, config }, context) => {
    const add = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: ['config', path], message });
    if (type === 'ollama' && (config.max_concurrent ?? 1) > MOST_PER_OLLAMA) {
      add('max_concurrent', `expected at most ${MOST_PER_OLLAMA}: no Ollama host gets more calls at once`);
    }
    if (type === 'openai-compatible' && config.base_url === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['config'],
        message: 'a provider of type openai-compatible needs `base_url`',
      });
    }
    const useless = (keys: readonly (keyof typeof config)[], why: string): void => {
      keys
        .filter((key) => config[key] !== undefined)
        .forEach((key) => {
          add(key, `has no effect${why}`);
        });
    };
    if (type === 'embedded') useless(['context_length', 'capabilities'], ': it is known of the embedded model');
    if (type !== 'ollama' && config.max_concurrent === undefined) {
      useless(['max_waiting', 'max_wait_ms'], ' without `max_concurrent`: nothing ever waits');
    }
  });
