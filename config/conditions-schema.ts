import { z } from 'zod';
import { MODES, type Mode } from '../src/contracts/request.js';
import type { Scalar } from '../src/contracts/routing.js';

type OneOrMore<T> = T | T[];

/** What a request must be like, as written in a profile. All keys of one object must hold. */
export interface Conditions {
  mode?: OneOrMore<Mode> | undefined;
  agent?: OneOrMore<string> | undefined;
  source?: OneOrMore<string> | undefined;
  dao_id?: OneOrMore<string> | undefined;
  role?: OneOrMore<string> | undefined;
  task_type?: OneOrMore<Scalar> | undefined;
  metadata_has?: string[] | undefined;
  prompt_matches?: string | undefined;
  prompt_length?: { min?: number | undefined; max?: number | undefined } | undefined;
  api_key_available?: string | undefined;
  and?: Conditions[] | undefined;
  or?: Conditions[] | undefined;
  not?: Conditions | undefined;
  /** Any other key is one of the request's metadata. */
  [metadata: string]: OneOrMore<Scalar> | Conditions | Conditions[] | object | undefined;
}

/** Keys of conditions that are no key of metadata, with those that are one and documented. */
export const CONDITION_KEYS = [
  'mode',
  'agent',
  'source',
  'dao_id',
  'role',
  'task_type',
  'metadata_has',
  'prompt_matches',
  'prompt_length',
  'api_key_available',
  'and',
  'or',
  'not',
] as const;

/** Name of an environment variable. In capitals, so that a key that was pasted by mistake is not taken for one. */
export const variableName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,99}$/, 'expected the name of an environment variable, in capitals');

const oneOrMore = <T extends z.ZodType>(one: T, what: string): z.ZodUnion<[T, z.ZodArray<T>]> =>
  z.union([one, z.array(one).min(1)], { error: `expected ${what}, or a list of them` });

const text = oneOrMore(z.string().min(1), 'text');
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'expected text, a number, or true or false' });
const metadata = oneOrMore(scalar, 'text, a number, or true or false');
const count = z.number().int().min(0);

/** Conditions of rules and of answers. */
export const ConditionsSchema: z.ZodType<Conditions> = z
  .object({
    mode: oneOrMore(z.enum(MODES), 'a mode').describe('The mode of the request, or several of which one must be it.'),
    agent: text.describe('The agent that the request names.'),
    source: text.describe('Where the request came from, such as telegram.'),
    dao_id: text.describe('The DAO in which the request acts.'),
    role: text.describe('A role that the actor has in that DAO.'),
    task_type: metadata.describe('The key task_type of the metadata.'),
    metadata_has: z.array(z.string().min(1)).min(1).describe('Keys that the metadata must have, with whatever value.'),
    prompt_matches: z
      .string()
      .min(1)
      .max(2_000)
      .describe('A regular expression in RE2 syntax, found anywhere in the first 16,384 characters of the prompt.'),
    prompt_length: z
      .strictObject({ min: count.describe('At least.'), max: count.describe('At most.') })
      .partial()
      .describe('Length of the prompt in Unicode code points, both ends included.'),
    api_key_available: variableName.describe('An environment variable that must be set when the profile is loaded.'),
    and: z
      .array(z.lazy(() => ConditionsSchema))
      .min(1)
      .describe('All of these must hold.'),
    or: z
      .array(z.lazy(() => ConditionsSchema))
      .min(1)
      .describe('At least one of these must hold.'),
    not: z.lazy(() => ConditionsSchema).describe('This must not hold.'),
  })
  .partial()
  .catchall(metadata)
  .meta({ id: 'conditions', description: 'What a request must be like; all keys must hold. Other keys are metadata.' });
