import { z } from 'zod';
import type { RouteSubmission } from '../contracts/request.js';
import { beginningOf, storable, storableJson } from '../contracts/text.js';
import { id } from './common.js';

/** Where a schema says what it refuses. */
interface Refusals {
  addIssue(issue: { code: 'custom'; path: (string | number)[]; message: string; params: { code: string } }): void;
}

/** OpenAI's words for what is wrong with a field. */
export type FaultCode = 'invalid_value' | 'unsupported_value' | 'unsupported_parameter' | 'missing_required_parameter';

/** Refuses a field, by its path from the schema that is being read. */
export function refuse(context: Refusals, path: (string | number)[], message: string, code: FaultCode): void {
  context.addIssue({ code: 'custom', path, message, params: { code } });
}

/** A parameter that may be left out. Clients say `null` where they mean that. */
export const maybe = <T extends z.ZodType>(schema: T): Maybe<T> =>
  schema.nullish().transform((value) => value ?? undefined);
type Maybe<T extends z.ZodType> = z.ZodPipe<
  z.ZodOptional<z.ZodNullable<T>>,
  z.ZodTransform<NonNullable<z.output<T>> | undefined, z.output<T> | null | undefined>
>;

/** Whether a parameter was given a value. */
export const isGiven = (value: unknown): boolean => value !== null && value !== undefined;

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What is there of an object: without the names whose value is undefined. */
export const present = <T extends object>(value: T): Present<T> =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Present<T>;

/**
 * A JSON object whose names and texts the database can keep.
 * @param path where it stands, from the schema that is being read; what is nested too deeply is refused there
 */
export function storableRecord(
  value: Record<string, unknown>,
  context: Refusals,
  path: string[] = [],
): Record<string, unknown> {
  try {
    return storableJson(value) as Record<string, unknown>;
  } catch {
    refuse(context, path, 'is nested too deeply', 'invalid_value');
    return {};
  }
}

/** Any JSON object. */
export const jsonObject = z
  .record(z.string(), z.unknown())
  .transform((value, context) => storableRecord(value, context));

/** Text that the database can keep. */
export const words = z.string().transform(storable);

/** The virtual model; some clients escape the slash. Whether there is such a one is not the schema's question. */
export const model = z
  .string({ error: 'name a model: see GET /v1/models' })
  .min(1, 'name a model: see GET /v1/models')
  .max(256)
  .transform((name) => storable(name).replace(/%2F/gi, '/'));

const [MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE] = [16, 64, 512];

const metadata = z
  .record(
    z.string().max(LONGEST_KEY, `a key has at most ${LONGEST_KEY} characters`),
    z.string().max(LONGEST_VALUE, `a value has at most ${LONGEST_VALUE} characters`),
  )
  .refine((pairs) => Object.keys(pairs).length <= MOST_PAIRS, `at most ${MOST_PAIRS} pairs`)
  .transform((pairs) =>
    Object.fromEntries(Object.entries(pairs).map(([key, value]) => [storable(key), storable(value)])),
  );

/** Longest `user` that is accepted, and how much of it is kept. */
const [LONGEST_USER, KEPT_OF_USER] = [10_000, 256];
const clientsUser = z
  .string()
  .max(LONGEST_USER)
  .transform((name) => storable(beginningOf(name, KEPT_OF_USER)));

/** What every endpoint takes about the call itself. */
export const about = {
  model,
  user: maybe(clientsUser),
  /** As OpenAI calls `user` now. */
  safety_identifier: maybe(clientsUser),
  metadata: maybe(metadata),
};

/** `stream_options` of both that stream. */
export const streamOptions = z.looseObject({
  include_usage: maybe(z.boolean()),
  include_obfuscation: maybe(z.boolean()),
});

/** How the answer is to be written. */
export interface AnswerStyle {
  /** The model as it was asked for. */
  model: string;
  stream: boolean;
  includeUsage: boolean;
  /** Names of what has no meaning here, to be told in a header. */
  ignored: string[];
}

interface About {
  model: string;
  user?: string | undefined;
  safety_identifier?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

/**
 * What all submissions of `/v1` have in common. Who acts is the key's own: `user`, `safety_identifier` and whatever metadata
 * names are what a client says of its own users, and are kept as that. Only the DAO can be named, and is checked against
 * the key.
 */
export function submissionOf(body: About, prompt: string): RouteSubmission {
  const { user, safety_identifier, metadata: pairs = {} } = body;
  const dao = id.safeParse(pairs.dao_id);
  return {
    ...{ prompt, mode: 'chat', source: 'openai', model: body.model },
    ...{ agent: undefined, userId: undefined, sessionId: undefined },
    daoId: dao.success ? dao.data : undefined,
    metadata: { ...pairs, ...said({ user, safety_identifier }) },
  };
}

/** Texts that are there, and say something. */
const said = (texts: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).flatMap(([name, text]) => (text ? [[name, text] as const] : [])));

/** Most names that are told of what has no meaning here, and those that can stand in a header. */
const MOST_NAMES = 20;
const TELLABLE = /^[\w.-]{1,64}$/;

/** Stands for names that are not told. */
const MORE = '...';

/** Names at the top of a body that nobody knows, and last `...` where there are more. What is null was not asked for. */
export function strangersIn(body: object, known: readonly string[]): string[] {
  const strange = Object.entries(body).filter(([name, value]) => isGiven(value) && !known.includes(name));
  const told = strange
    .map(([name]) => name)
    .filter((name) => TELLABLE.test(name))
    .slice(0, MOST_NAMES);
  return told.length < strange.length ? [...told, MORE] : told;
}
