import { z } from 'zod';
import { MODES, type RouteSubmission } from '../contracts/request.js';
import { storableJson } from '../contracts/text.js';
import { daoNamed, id, text } from './common.js';

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

const WireSchema = z.looseObject({
  prompt: text.optional(),
  message: text.optional(),
  metadata: MetadataSchema.optional(),
  payload: MetadataSchema.optional(),
  ...fields,
});

/** The same for the API's description: the names that new clients use, each of them once. */
export const RouteBodyOutline = z.looseObject({
  prompt: text.meta({ description: 'What is asked, in plain words; not empty.', example: 'How long do members vote?' }),
  mode: z.enum(MODES).default('chat').meta({
    description: 'chat: an answer. devtools: work with the tool that metadata.tool names. crew: a team of agents.',
  }),
  agent: id.optional().meta({ description: 'Name of an agent; only rules look at it.', example: 'coordinator' }),
  dao_id: daoNamed.optional(),
  user_id: id.optional().meta({
    description:
      'Who asks, as the platform names them; for keys that may say so. Leave it out, not empty, with a personal key.',
    example: 'tg:12345',
  }),
  session_id: id.optional().meta({
    description: 'Requests of the same user with the same session_id are one conversation.',
    example: 'garden-1',
  }),
  source: id.optional().meta({ description: 'Where the question comes from; rules may look at it.', example: 'dify' }),
  metadata: z
    .looseObject({})
    .optional()
    .meta({
      description: 'An object with what else rules may look at. For devtools: tool names the tool.',
      example: { tool: 'notebook' },
    }),
});

/** Keys of a body. Others are accepted and have no meaning. */
export const ROUTE_KEYS: readonly string[] = Object.keys(WireSchema.shape);

type WireBody = z.output<typeof WireSchema>;
/** A field and what is wrong with it. */
type Problem = [field: string, message: string];

/** More metadata than this is refused: it is kept with every request, in bytes of JSON. */
const MOST_METADATA = 65_536;

/** Both spellings of one thing, where they say different things. Whoever put a request together meant only one. */
function contradictions(body: WireBody): Problem[] {
  const { metadata, payload } = body;
  const inner = metadata ?? payload ?? {};
  const pairs: [string, unknown, unknown][] = [
    ['prompt', body.prompt, body.message],
    // Only where both are there: this is on every request's way.
    ...(metadata && payload
      ? [['metadata', JSON.stringify(metadata), JSON.stringify(payload)] satisfies [string, unknown, unknown]]
      : []),
    ...(['dao_id', 'user_id', 'session_id', 'source'] as const).map((name): [string, unknown, unknown] => [
      name,
      inner[name],
      body[name],
    ]),
  ];
  const differ = pairs.filter(([, one, other]) => one !== undefined && other !== undefined && one !== other);
  return differ.map(([name]) => [name, 'is given twice, with different values']);
}

const oversize = (metadata: object): Problem[] =>
  Buffer.byteLength(JSON.stringify(metadata)) > MOST_METADATA
    ? [['metadata', `holds more than ${MOST_METADATA} bytes`]]
    : [];

const NO_PROMPT = 'a prompt that is not empty is needed';
/** Keys that have no meaning, as many and as long as are told. */
const MOST_STRANGERS = 5;
const TELLABLE = /^[\w.-]{1,40}$/;

/** Keys that nobody knows: where the prompt is missing one of them may have been meant to hold it. */
function strangersOf(body: object): string {
  const strangers = Object.keys(body).filter((key) => !ROUTE_KEYS.includes(key) && TELLABLE.test(key));
  return strangers.length === 0 ? '' : `; not known: ${strangers.slice(0, MOST_STRANGERS).join(', ')}`;
}

/** Body of `POST /route`. Older clients say `message` and `payload`, and put ids at the top level. */
export const RouteBodySchema = WireSchema.transform((body, context): RouteSubmission => {
  const prompt = body.prompt ?? body.message;
  if (prompt === undefined || prompt.trim() === '') {
    context.addIssue({ code: 'custom', path: ['prompt'], message: NO_PROMPT + strangersOf(body) });
    return z.NEVER;
  }
  const metadata = body.metadata ?? body.payload ?? {};
  const problems = [...contradictions(body), ...oversize(metadata)];
  if (problems.length > 0) {
    problems.forEach(([name, message]) => {
      context.addIssue({ code: 'custom', path: [name], message });
    });
    return z.NEVER;
  }
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
