import { z } from 'zod';
import { MODES } from '../contracts/request.js';

/** PostgreSQL keeps no U+0000, and JSON columns no half surrogate pairs. */
const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '');

/** Text that the database can keep. */
const text = z.string().transform(clean);
const id = z.string().min(1).max(256).transform(clean);

const cleanJson = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, part: unknown) => (typeof part === 'string' ? clean(part) : part));

const ids = { dao_id: id.optional(), user_id: id.optional(), session_id: id.optional(), source: id.optional() };

const MetadataSchema = z.looseObject(ids).transform((value, context) => {
  try {
    return cleanJson(value) as typeof value;
  } catch {
    // The only way to fail on what came from JSON: it is nested so deeply that the stack ran out.
    context.addIssue({ code: 'custom', message: 'nested too deeply' });
    return z.NEVER;
  }
});

const fields = {
  mode: z.enum(MODES).default('chat'),
  agent: id.optional(),
  ...ids,
};

/** A request to `/route` in one shape, whatever names the client used. */
export interface RouteSubmission {
  prompt: string;
  mode: (typeof MODES)[number];
  agent: string | undefined;
  daoId: string | undefined;
  userId: string | undefined;
  sessionId: string | undefined;
  source: string | undefined;
  metadata: Record<string, unknown>;
}

const WireSchema = z.object({
  prompt: text.optional(),
  message: text.optional(),
  metadata: MetadataSchema.optional(),
  payload: MetadataSchema.optional(),
  ...fields,
});

/** Body of `POST /route`. Older clients say `message` and `payload`, and put ids at the top level. */
export const RouteBodySchema = WireSchema.transform((body, context): RouteSubmission => {
  const prompt = body.prompt ?? body.message;
  if (prompt === undefined || prompt.trim() === '') {
    context.addIssue({ code: 'custom', path: ['prompt'], message: 'a prompt that is not empty is needed' });
    return z.NEVER;
  }
  const metadata = body.metadata ?? body.payload ?? {};
  return {
    prompt,
    mode: body.mode,
    agent: body.agent,
    daoId: metadata.dao_id ?? body.dao_id,
    userId: metadata.user_id ?? body.user_id,
    sessionId: metadata.session_id ?? body.session_id,
    source: metadata.source ?? body.source,
    metadata,
  };
});
