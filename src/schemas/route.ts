import { z } from 'zod';
import { MODES } from '../contracts/request.js';
import { id, storable, text } from './common.js';

/** Deeper metadata is refused: whoever hashes, stores or matches it later goes down as deep. */
const DEEPEST = 100;

/** A JSON value whose names and texts the database can keep. */
function storableJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) throw new RangeError('nested too deeply');
  if (Array.isArray(value)) return value.map((part) => storableJson(part, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [storable(key), storableJson(part, depth + 1)]));
}

const ids = { dao_id: id.optional(), user_id: id.optional(), session_id: id.optional(), source: id.optional() };

const MetadataSchema = z.looseObject(ids).transform((value, context) => {
  try {
    return storableJson(value) as typeof value;
  } catch {
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
