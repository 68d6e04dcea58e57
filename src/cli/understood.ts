import type { z } from 'zod';
import { CliError } from './failure.js';

/** What a server said, in the form that this version knows. */
export function understood<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CliError('BAD_ANSWER', 'The server answered in a form that this version does not know.');
}
