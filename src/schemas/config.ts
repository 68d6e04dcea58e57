import { z } from 'zod';
import type { Condition, RoutingTable } from '../contracts/routing.js';
import { KNOWN_QUESTIONS } from '../contracts/request.js';
import { CALL_SHAPES } from '../contracts/request.js';
import { id } from './common.js';

const hash = z
  .string()
  .regex(/^[0-9a-f]{8,64}$/, 'a hash, as "dagi config status" shows it')
  .meta({ description: 'A hash, as "dagi config status" shows it.', example: '0123456789abcdef' });

/** `POST /config/apply`. */
export const ApplyConfigSchema = z.strictObject({ confirm: hash });
export type ApplyConfigBody = z.infer<typeof ApplyConfigSchema>;

/** Deeper tables are refused: whoever checks or evaluates them goes down as deep. */
const DEEPEST = 128;

/** A value that is nested no deeper than that. Looks at it level by level, so that its own stack does not grow. */
function isShallow(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return false;
    level = level.flatMap((one): unknown[] => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return true;
}

const name = z.string().min(1).max(256);
const names = z.array(name).max(1_000);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const milliseconds = z.number().min(0).max(86_400_000);
const price = z.strictObject({ prompt: z.number().min(0), completion: z.number().min(0) });

const ConditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('all'), of: z.array(ConditionSchema).max(1_000) }),
    z.strictObject({ kind: z.literal('any'), of: z.array(ConditionSchema).max(1_000) }),
    z.strictObject({ kind: z.literal('not'), of: ConditionSchema }),
    z.strictObject({ kind: z.literal('equals'), key: name, values: z.array(scalar).max(10_000) }),
    z.strictObject({ kind: z.literal('metadata_has'), keys: names }),
    z.strictObject({ kind: z.literal('prompt_matches'), pattern: z.string().max(10_000) }),
    z.strictObject({
      kind: z.literal('prompt_length'),
      min: z.number().exactOptional(),
      max: z.number().exactOptional(),
    }),
    z.strictObject({ kind: z.literal('api_key_available'), variable: name, available: z.boolean() }),
  ]),
);

const RuleSchema = z.strictObject({
  name,
  priority: z.number(),
  condition: ConditionSchema,
  use: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('chain'), providers: names }),
    z.strictObject({ kind: z.literal('metadata'), key: name, allow: names }),
  ]),
  fallbacks: names,
  timeoutMs: milliseconds.exactOptional(),
  cache: z.strictObject({ ttlMs: z.number().min(0), maxEntries: z.number().min(0) }).exactOptional(),
});

const ProviderSchema = z.strictObject({
  shape: z.enum(CALL_SHAPES),
  queue: name,
  timeoutMs: milliseconds,
  queueTimeoutMs: milliseconds,
  maxTokens: z.number().min(0),
  maxAttempts: z.number().min(0).max(100),
  retryDelayMs: milliseconds,
  pool: z
    .strictObject({
      name,
      slots: z.number().min(0),
      maxWaiting: z.number().min(0),
      maxWaitMs: milliseconds,
    })
    .exactOptional(),
  price: price.exactOptional(),
});

const TableSchema = z
  .strictObject({
    rules: z.array(RuleSchema).max(1_000),
    defaultRule: RuleSchema.exactOptional(),
    answers: z.array(z.strictObject({ question: z.enum(KNOWN_QUESTIONS), condition: ConditionSchema })).max(100),
    providers: z.record(name, ProviderSchema),
    requestTimeoutMs: milliseconds,
    weights: z.record(name, z.number().gt(0)),
    hash,
  })
  .superRefine((table, context) => {
    const known = new Set(Object.keys(table.providers));
    const rules = [...table.rules, ...(table.defaultRule ? [table.defaultRule] : [])];
    const named = rules.flatMap(({ use, fallbacks }) => [
      ...(use.kind === 'chain' ? use.providers : use.allow),
      ...fallbacks,
    ]);
    const missing = named.find((provider) => !known.has(provider));
    if (missing === undefined) return;
    context.addIssue({ code: 'custom', path: ['providers'], message: `a rule names "${missing}", which is not there` });
  });

/** A compiled routing table, as `dagi whatif` posts it. Data of a stranger: checked to the last field. */
export const RoutingTableSchema: z.ZodType<RoutingTable> = z
  .unknown()
  .refine(isShallow, { error: 'nested too deeply', abort: true })
  .pipe(TableSchema);

/** `POST /routing/whatif`. */
export const WhatIfSchema = z.strictObject({
  table: RoutingTableSchema,
  /** Recorded requests from this moment on; absent: all that are kept. */
  since: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
  limit: z.number().int().min(1).max(100_000).default(10_000).describe('Most requests that are decided again.'),
  /** Of how many requests that would take another way it is told who would answer them, so that they can be tried. */
  trials: z
    .number()
    .int()
    .min(0)
    .max(50)
    .default(0)
    .describe('Of how many that would take another way it is told who would answer.'),
});
export type WhatIfBody = z.infer<typeof WhatIfSchema>;

/** The same for the API's description: a table is what `dagi` compiles, and nobody writes one by hand. */
export const WhatIfOutlineSchema = z.strictObject({
  table: z.looseObject({ hash }).describe('A compiled routing table, as dagi whatif makes it.'),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Requests from this moment on; absent: all that are kept.'),
  limit: WhatIfSchema.shape.limit,
  trials: WhatIfSchema.shape.trials,
});

/** `POST /routing/whatif/trials`. */
export const TrialSchema = z.strictObject({
  request_id: id.describe('Id of the recorded request.'),
  provider: name.describe('Name of the provider in the running profile.'),
});
export type TrialBody = z.infer<typeof TrialSchema>;
