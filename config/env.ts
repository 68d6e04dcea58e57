import { resolve } from 'node:path';
import { config as readDotenv } from 'dotenv';
import { z } from 'zod';
import { AppError } from '../src/errors/app-error.js';
import { LEVELS } from './limits-schema.js';
import { quoted } from './nearest.js';

const port = z.coerce.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/ });
const secret = z.string().min(1);

/** Updates that are to be pushed have nowhere to go. */
const NO_PUBLIC_URL =
  'TELEGRAM_MODE is webhook, and PUBLIC_URL is not set, the https address to which Telegram is to send updates: set it, or take TELEGRAM_MODE=polling';

/** Every environment variable that the product reads. An empty value counts as absent. */
const VariablesSchema = z.object({
  DAGI_HOME: z.string().default('./var'),
  DAGI_PROFILE: z.string().default('dev'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(9102),
  MCP_PORT: port.default(9400),
  PUBLIC_URL: url.optional(),
  MCP_PUBLIC_URL: url.optional(),
  DAGI_ADMIN_KEY: z.string().min(16, 'at least 16 characters').optional(),
  DAGI_SIGNING_KEY: secret.optional(),
  DAGI_DEFAULT_DAO: z.string().optional(),
  DAGI_URL: url.optional(),
  DAGI_MCP_URL: url.optional(),
  DAGI_API_KEY: secret.optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_MIGRATION_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_TLS: z.stringbool().optional(),
  TEMPORAL_API_KEY: secret.optional(),
  TEMPORAL_PORT: port.optional(),
  TEMPORAL_UI_PORT: port.optional(),
  OLLAMA_BASE_URL: url.optional(),
  OLLAMA_MODEL: z.string().optional(),
  OPENAI_API_KEY: secret.optional(),
  OPENAI_BASE_URL: url.optional(),
  OPENAI_MODEL: z.string().optional(),
  DEEPSEEK_API_KEY: secret.optional(),
  DEEPSEEK_BASE_URL: url.optional(),
  EMBEDDED_MODEL: z.string().optional(),
  TELEGRAM_BOT_TOKEN: z
    .string()
    .regex(/^\d+:[\w-]+$/, 'the form of a bot token: digits, a colon, and the rest')
    .optional(),
  TELEGRAM_API_ROOT: url.optional(),
  TELEGRAM_WEBHOOK_SECRET: z
    .string()
    .regex(/^[\w-]{1,256}$/, '1 to 256 of the characters A-Z, a-z, 0-9, _ and -')
    .optional(),
  TELEGRAM_MODE: z.enum(['polling', 'webhook']).optional(),
  DISCORD_PUBLIC_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'the 64 hexadecimal digits of the public key of an application')
    .optional(),
  DISCORD_APPLICATION_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'the digits of the id of an application')
    .optional(),
  DISCORD_BOT_TOKEN: z
    .string()
    .regex(/^[\w.-]+$/, 'the form of a bot token, without "Bot" before it')
    .optional(),
  DISCORD_API_ROOT: url.optional(),
  DAGI_CACHE: z.string().optional(),
  DAGI_LOG_LEVEL: z.enum(LEVELS).optional(),
});

const EnvSchema = VariablesSchema.superRefine(
  ({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_MODE: mode, PUBLIC_URL: publicUrl }, context) => {
    if (token !== undefined && mode === 'webhook' && publicUrl === undefined) context.addIssue(NO_PUBLIC_URL);
  },
);

/** Typed environment, with derived paths made absolute. */
export type Env = Readonly<Omit<z.infer<typeof EnvSchema>, 'DAGI_HOME'> & { home: string; cache: string }>;

const withoutEmpty = (variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));

/** What DAGI_DEFAULT_DAO says where there is to be none, in development too. */
const NO_DAO = 'none';

/** The DAO of callers that name none. @param otherwise where the environment has no say */
export const defaultDaoOf = (
  { DAGI_DEFAULT_DAO: wanted }: Pick<Env, 'DAGI_DEFAULT_DAO'>,
  otherwise: () => string | undefined,
): string | undefined => (wanted === NO_DAO ? undefined : (wanted ?? otherwise()));

/** Variables of the process, with those of a `.env` file in the working folder below them; empty ones are absent. */
export function readVariables(source: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const fromFile: Record<string, string> = {};
  readDotenv({ processEnv: fromFile, quiet: true });
  return { ...withoutEmpty(fromFile), ...withoutEmpty(source) };
}

/** Variables of the process alone: a `.env` file has no say in the programs that we start. */
export const processVariables = (): NodeJS.ProcessEnv => withoutEmpty(process.env);

/** What a number or a word is for: it may be told what was found, as no secret belongs there. */
const KINDS: readonly [RegExp, string, told: boolean][] = [
  [/^(|MCP_|TEMPORAL_|TEMPORAL_UI_)PORT$/, 'a whole number from 0 to 65535', true],
  [/^TEMPORAL_TLS$/, 'true or false', true],
  [/^DAGI_LOG_LEVEL$/, `one of ${LEVELS.join(', ')}`, true],
  [/^TELEGRAM_MODE$/, 'polling or webhook', true],
  [/^DATABASE_(MIGRATION_)?URL$/, 'an address that begins with postgres:// or postgresql://', false],
  [/_(URL|API_ROOT)$/, 'an address that begins with http:// or https://', false],
];

/** A bad variable in words. */
function problemOf({ path, message }: z.core.$ZodIssue, variables: NodeJS.ProcessEnv): string {
  // What is wrong with several together is a sentence of its own.
  if (path.length === 0) return message;
  const name = path.join('.');
  const [, expected, told] = KINDS.find(([pattern]) => pattern.test(name)) ?? [];
  if (expected === undefined) return `${name} must have ${message}`;
  return `${name} must be ${expected}${told ? `, is ${quoted(variables[name] ?? '')}` : ''}`;
}

/**
 * Reads and validates the environment, with a `.env` file in the working folder below it.
 * @throws AppError `CONFIG_INVALID` that lists every bad variable at once; values that could be secrets are not shown.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const variables = readVariables(source);
  const parsed = EnvSchema.safeParse(variables);
  if (!parsed.success) {
    const problems = new Set(parsed.error.issues.map((issue) => problemOf(issue, variables)));
    throw new AppError('CONFIG_INVALID', `Environment: ${[...problems].join('; ')}. See .env.example.`);
  }
  const { DAGI_HOME, ...rest } = parsed.data;
  const home = resolve(DAGI_HOME);
  return Object.freeze({ ...rest, home, cache: resolve(rest.DAGI_CACHE ?? `${home}/cache`) });
}
