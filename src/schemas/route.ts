import { z } from 'zod';
import { MODES, type CrewRequest, type RouteSubmission } from '../contracts/request.js';
import { TOOLS, type ToolRequest } from '../contracts/devtools.js';
import { daoNamed, id, kept, text } from './common.js';
import { toolRequest } from './devtools.js';

const ids = { dao_id: id.optional(), user_id: id.optional(), session_id: id.optional(), source: id.optional() };

const MetadataSchema = z.looseObject(ids).transform(kept);

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
  prompt: text.meta({
    description: 'What is asked, in plain words; may be empty with mode devtools alone.',
    example: 'How long do members vote?',
  }),
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
      description:
        'An object with what else rules may look at. For devtools: tool names the tool, and params says what it is to do.',
      example: { tool: 'fs_read', params: { path: 'README.md' } },
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

/** What a request of mode crew says of the crew. */
const CrewSchema = z.looseObject({ workflow: id, inputs: z.looseObject({}).default({}) });

/** The crew that the metadata of a request of mode crew name. What it is given is kept with its run. */
function crewOf({ mode }: WireBody, metadata: Record<string, unknown>, context: RouteContext): CrewRequest | undefined {
  if (mode !== 'crew') return undefined;
  const parsed = CrewSchema.safeParse(metadata);
  if (parsed.success) return { id: parsed.data.workflow, inputs: parsed.data.inputs };
  for (const { path, message } of parsed.error.issues) {
    context.addIssue({ code: 'custom', path: ['metadata', ...path], message });
  }
  return undefined;
}

type RouteContext = z.core.$RefinementCtx<WireBody>;

/** What a tool request says beside what every request does. */
interface Tooled {
  tool?: ToolRequest;
  metadata: Record<string, unknown>;
}

/**
 * The tool that the metadata of a request of mode devtools name. Its parameters are not kept with the metadata: they may
 * be large, and no rule looks at them.
 */
function toolOf({ mode }: WireBody, metadata: Record<string, unknown>, context: RouteContext): Tooled {
  if (mode !== 'devtools') return { metadata };
  const { tool: named, params = {}, ...others } = metadata;
  const tool = TOOLS.find((name) => name === named);
  if (tool === undefined) {
    context.addIssue({ code: 'custom', path: ['metadata', 'tool'], message: `expected one of ${TOOLS.join(', ')}` });
    return { metadata };
  }
  const request = toolRequest(tool, params);
  if (!Array.isArray(request)) return { metadata: { ...others, tool }, tool: request };
  for (const { path, message } of request) {
    context.addIssue({ code: 'custom', path: ['metadata', 'params', ...path], message });
  }
  return { metadata };
}

/** The prompt; undefined if there is none where one is needed. */
function promptOf(body: WireBody, context: RouteContext): string | undefined {
  const prompt = body.prompt ?? body.message ?? '';
  // A tool is told what to do by its parameters, a crew by its inputs.
  if (prompt.trim() !== '' || body.mode !== 'chat') return prompt;
  context.addIssue({ code: 'custom', path: ['prompt'], message: NO_PROMPT + strangersOf(body) });
  return undefined;
}

/** Who and where, as the metadata say it, or older clients beside them. */
const namesIn = (
  body: WireBody,
  ids: z.output<typeof MetadataSchema>,
): Pick<RouteSubmission, 'daoId' | 'userId' | 'sessionId' | 'source'> => ({
  daoId: ids.dao_id ?? body.dao_id,
  userId: ids.user_id ?? body.user_id,
  sessionId: ids.session_id ?? body.session_id,
  source: ids.source ?? body.source,
});

const withoutInputs = (metadata: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'inputs'));

/** Body of `POST /route`. Older clients say `message` and `payload`, and put ids at the top level. */
export const RouteBodySchema = WireSchema.transform((body, context): RouteSubmission => {
  const prompt = promptOf(body, context);
  if (prompt === undefined) return z.NEVER;
  const ids = body.metadata ?? body.payload ?? {};
  const { metadata: told, tool } = toolOf(body, ids, context);
  const crew = crewOf(body, ids, context);
  const metadata = crew ? withoutInputs(told) : told;
  if (context.issues.length > 0) return z.NEVER;
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
    ...namesIn(body, ids),
    metadata,
    ...(tool && { tool }),
    ...(crew && { crew }),
  };
});
