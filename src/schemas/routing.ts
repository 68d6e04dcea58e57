import { z } from 'zod';
import { MODES, type RouteSubmission } from '../contracts/request.js';
import { storable } from '../contracts/text.js';
import { daoNamed, id } from './common.js';
import { RouteBodySchema } from './route.js';

/** Addresses are bounded, and so is what goes into one, in UTF-16 units. */
export const LONGEST_PROMPT = 4_000;
const LONGEST_METADATA = 8_000;

/** `GET /routing`. */
export const RoutingQuerySchema = z.strictObject({ dao_id: daoNamed.optional() });
export type RoutingQuery = z.infer<typeof RoutingQuerySchema>;

/** Metadata as JSON in the address. */
const MetadataText = z
  .string()
  .max(LONGEST_METADATA)
  .transform((value, context): Record<string, unknown> => {
    const parsed = parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
    context.addIssue({ code: 'custom', message: 'a JSON object is needed' });
    return z.NEVER;
  });

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Stands for a prompt where none is given: a body cannot do without. */
const NO_PROMPT = '-';

/** A body of `POST /route` that may lack a prompt: it is then as if the prompt were empty. */
export function toSubmission(body: Record<string, unknown>, context: z.RefinementCtx): RouteSubmission {
  const { prompt = body.message ?? '' } = body;
  const isEmpty = typeof prompt === 'string' && prompt.trim() === '';
  const parsed = RouteBodySchema.safeParse(isEmpty ? { ...body, prompt: NO_PROMPT, message: undefined } : body);
  if (parsed.success) return isEmpty ? { ...parsed.data, prompt } : parsed.data;
  parsed.error.issues.forEach(({ path, message }) => {
    context.addIssue({ code: 'custom', path, message });
  });
  return z.NEVER;
}

/** `GET /routing/explain`: a body of `POST /route` as a query. `user_id` is whom it is about, not who asks. */
export const ExplainQuerySchema = z
  .strictObject({
    prompt: z
      .string()
      .max(LONGEST_PROMPT)
      .transform(storable)
      .optional()
      .describe('The prompt; it is not repeated in the answer.'),
    mode: z.enum(MODES).optional().describe('What kind of request it is; absent: chat.'),
    agent: id.optional().describe('The agent that the request names.'),
    source: id.optional().meta({ description: 'Where it comes from.', example: 'telegram' }),
    dao_id: daoNamed.optional(),
    user_id: id.optional().describe('Whom it is about; only admins of the DAO may name somebody else.'),
    metadata: MetadataText.optional().meta({
      description: 'The metadata, as a JSON object.',
      example: '{"tool":"notebook"}',
    }),
  })
  .transform(toSubmission);
