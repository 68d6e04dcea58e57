import { z } from 'zod';

/** The last places of a context, which the library needs for itself before it would drop the beginning. */
export const RESERVED_TOKENS = 2;

/** What the embedded model's process is told. It leaves when the channel closes, so there is no message for that. */
export const ToChild = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('load'),
    modelPath: z.string(),
    /** Tokens that one call can use, prompt and answer together. */
    contextTokens: z.int().positive(),
    sequences: z.int().positive(),
    threads: z.int().positive(),
  }),
  z.object({
    type: z.literal('generate'),
    id: z.int(),
    messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
    maxTokens: z.int().positive(),
    temperature: z.number(),
    topP: z.number(),
    /** Texts that end the answer and are no part of it. */
    stop: z.array(z.string().min(1)).optional(),
    seed: z.int().min(0).max(0xffffffff).optional(),
    /** In place of our own. */
    presencePenalty: z.number().optional(),
    frequencyPenalty: z.number().optional(),
    /** The form that the answer is held to: any JSON object, or a schema with bounds. */
    format: z
      .discriminatedUnion('type', [
        z.object({ type: z.literal('json') }),
        z.object({ type: z.literal('schema'), schema: z.record(z.string(), z.unknown()) }),
      ])
      .optional(),
  }),
  z.object({ type: z.literal('abort'), id: z.int() }),
]);
export type ToChild = z.infer<typeof ToChild>;
export type LoadMessage = Extract<ToChild, { type: 'load' }>;
export type GenerateMessage = Extract<ToChild, { type: 'generate' }>;

/** What it answers. Every `generate` gets exactly one `end` or `failed`, after which its sequence is free again. */
export const FromChild = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('unloadable'), reason: z.enum(['missing', 'unloadable']) }),
  z.object({ type: z.literal('text'), id: z.int(), text: z.string() }),
  z.object({
    type: z.literal('end'),
    id: z.int(),
    finishReason: z.string(),
    promptTokens: z.int(),
    completionTokens: z.int(),
  }),
  z.object({ type: z.literal('failed'), id: z.int(), reason: z.enum(['context', 'format', 'aborted', 'internal']) }),
]);
export type FromChild = z.infer<typeof FromChild>;
