import { z } from 'zod';
import { MODES } from '../src/contracts/request.js';

const name = z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/, 'letters, digits, "_", "-" and "."; at most 64');
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const milliseconds = z.number().int().min(1).max(3_600_000);

const ProviderSchema = z.strictObject({
  name,
  type: z.enum(['ollama', 'openai', 'deepseek', 'openai-compatible', 'embedded']),
  config: z
    .strictObject({
      base_url: z.url({ protocol: /^https?$/ }),
      model: z.string(),
      /** Name of the environment variable that holds the key; the key itself has no place in a file. */
      api_key_env: z.string(),
      max_tokens: z.number().int().min(1).max(131_072),
      temperature: z.number().min(0).max(2),
      top_p: z.number().gt(0).max(1),
      timeout_ms: milliseconds,
      max_attempts: z.number().int().min(1).max(5),
      retry_delay_ms: z.number().int().min(0).max(60_000),
      shape: z.enum(['eager', 'local', 'queue']),
    })
    .partial()
    .default({}),
});

/** What a request must be like: equality, or one of a list, by mode, agent, source, DAO, role or any key of metadata. */
const ConditionsSchema = z
  .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
  .superRefine((conditions, context) => {
    const modes = [conditions.mode ?? []].flat();
    const unknown = modes.find((mode) => !(MODES as readonly unknown[]).includes(mode));
    if (unknown === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['mode'],
      message: `unknown mode "${unknown}"; there is ${MODES.join(', ')}`,
    });
  });

const RuleSchema = z.strictObject({
  name,
  priority: z.number().int().default(100),
  conditions: ConditionsSchema.default({}),
  /** A provider's name, or `auto`: the providers that the environment offers, in their fixed order. */
  use_provider: name,
  timeout_ms: milliseconds.optional(),
  fallback_provider: z.union([name, z.array(name)]).optional(),
});

const ProvidersSchema = z.array(ProviderSchema).superRefine((providers, context) => {
  const names = providers.map((provider) => provider.name);
  const index = names.findIndex((own, at) => names.indexOf(own) < at);
  if (index === -1) return;
  context.addIssue({ code: 'custom', path: [index, 'name'], message: `provider "${names[index]}" is defined twice` });
});

/** A profile file, `config/profiles/*.yml`. */
export const ProfileSchema = z.strictObject({
  version: z.string(),
  environment: z.string().default('development'),
  /** Known for the sake of older files; without effect. */
  debug: z.boolean().default(false),
  llm_providers: ProvidersSchema.default([]),
  routing_rules: z.array(RuleSchema).min(1),
  limits: z
    .strictObject({
      request_timeout_ms: milliseconds.default(120_000),
      /** Most tokens of earlier turns that go to the model with a prompt. */
      session_tokens: z.number().int().min(0).default(1_000),
    })
    .prefault({}),
  logging: z
    .strictObject({
      level: z
        .string()
        .toLowerCase()
        .pipe(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])),
      /** Lines are JSON whatever it says. */
      format: z.enum(['json', 'pretty']),
      /** Of the file that `dagi up` writes; `max_files` counts it too. Other processes log to standard output. */
      rotation: z
        .strictObject({ max_size_mb: z.number().positive(), max_files: z.number().int().positive() })
        .partial(),
    })
    .partial()
    .default({}),
});

export type Profile = z.infer<typeof ProfileSchema>;
export type ProfileProvider = Profile['llm_providers'][number];
