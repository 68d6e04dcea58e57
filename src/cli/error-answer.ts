import { z } from 'zod';
import { CliError } from './failure.js';

/** An answer that is an error. */
export interface RefusedAnswer {
  status: number;
  body: unknown;
  /** The header `Retry-After`, in seconds. */
  retryAfterSeconds?: number | undefined;
}

const AttemptsSchema = z.array(z.looseObject({ provider: z.string(), error: z.string().optional() }));
const ErrorSchema = z.looseObject({
  code: z.string(),
  message: z.string(),
  retry_after_s: z.number().optional().catch(undefined),
  required_entitlement: z.string().optional().catch(undefined),
  roles: z.array(z.string()).optional().catch(undefined),
  narrowed_by: z.string().optional().catch(undefined),
});
const BodySchema = z.looseObject({ error: ErrorSchema, attempts: AttemptsSchema.optional().catch(undefined) });
type Told = z.infer<typeof ErrorSchema>;

/** The error that a body tells, in the product's form, with what of its details says what to do. */
export function toCliError({ status, body, retryAfterSeconds }: RefusedAnswer): CliError {
  const parsed = BodySchema.safeParse(body);
  if (!parsed.success) {
    return new CliError('BAD_ANSWER', `The answer is HTTP ${status} and not one of DAGI Stack: is DAGI_URL right?`);
  }
  const { error, attempts = [] } = parsed.data;
  const wait = retryAfterSeconds ?? error.retry_after_s;
  const sentences = [withWait(error.message, wait), ...lackOf(error), ...failuresOf(attempts)];
  return new CliError(error.code, sentences.join(' '), { ...error });
}

/** In place of the name of a header, which nobody sees at a terminal, its value. */
function withWait(message: string, seconds: number | undefined): string {
  if (seconds === undefined || /\bin \d+ s\b/.test(message)) return message;
  const named = message.replace('after Retry-After', `in ${seconds} s`);
  return named === message ? `${message} Come back in ${seconds} s.` : named;
}

function lackOf({ message, required_entitlement: needed, roles = [], narrowed_by: narrowed }: Told): string[] {
  if (needed === undefined || message.includes(needed)) return [];
  const held =
    roles.length === 0 || narrowed !== undefined
      ? ''
      : ` and the ${roles.length === 1 ? 'role is' : 'roles are'} ${roles.join(', ')}`;
  return [`${needed} is needed${held}.`];
}

function failuresOf(attempts: z.infer<typeof AttemptsSchema>): string[] {
  const failed = attempts.filter(({ error }) => error !== undefined);
  return failed.length === 0
    ? []
    : [`Attempts: ${failed.map(({ provider, error }) => `${provider}: ${error ?? ''}`).join(', ')}.`];
}
