import { z } from 'zod';
import { defaultDaoOf, type Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { nearest } from '../../config/nearest.js';
import { loadDefaultRoles, loadDevSeed } from '../../config/seed.js';
import type { AccessFacts } from '../contracts/access.js';
import { KNOWN_QUESTIONS, MODES, type RouteSubmission } from '../contracts/request.js';
import { promptInputs } from '../domain/decide.js';
import { explain, type Explanation } from '../domain/explain.js';
import { RULE_OUTCOMES } from '../domain/routing.js';
import { ROUTE_KEYS } from '../schemas/route.js';
import { toSubmission } from '../schemas/routing.js';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { understood } from './understood.js';

/** Longer addresses are refused on their way. */
const LONGEST_ADDRESS = 12_000;
/** Whose request it is where nobody says. */
const USUAL_ROLES = ['member'];

const KEYS = [...ROUTE_KEYS, 'roles'];

/** Keys that mean nothing, each with the one that was most likely meant. */
const strangersOf = (body: object): { key: string; meant: string | undefined }[] =>
  Object.keys(body)
    .filter((key) => !KEYS.includes(key))
    .map((key) => ({ key, meant: nearest(key, KEYS) }));

/** A body of `POST /route`, with the roles of whoever sends it. */
const QuestionSchema = z
  .looseObject({ roles: z.array(z.string().min(1)).min(1).optional() })
  .superRefine((body, context) => {
    for (const { key, meant } of strangersOf(body)) {
      if (meant !== undefined) {
        context.addIssue({ code: 'custom', path: [key], message: `unknown key; did you mean \`${meant}\`?` });
      }
    }
  })
  .transform(({ roles, ...body }, context) => ({
    roles,
    about: toSubmission(body, context),
    /** Keys that mean nothing to `POST /route`, which accepts them all the same. */
    ignored: strangersOf(body).map(({ key }) => key),
  }));
export type Question = z.output<typeof QuestionSchema>;

/**
 * Reads what is to be explained.
 * @throws CliError `BODY_INVALID` with all complaints
 */
export function readQuestion(json: unknown): Question {
  const parsed = QuestionSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'body'}: ${message}`,
  );
  throw new CliError('BODY_INVALID', `The body does not fit the schema: ${complaints.join('; ')}.`);
}

/**
 * Explains under a profile's file, without a running instance: with the roles that the question names, as a new DAO
 * defines them.
 * @throws AppError `CONFIG_INVALID`; CliError `UNKNOWN_ROLE`
 */
export function explainLocally(env: Env, profile: string, { roles = USUAL_ROLES, about }: Question): Explanation {
  const { routing } = loadConfig(env, profile);
  const { mode, agent, source, metadata, prompt } = about;
  const access = accessOf(about.daoId ?? defaultDaoOf(env, () => loadDevSeed().daos[0]?.id) ?? 'dao', roles);
  return explain(routing, { mode, agent, source, metadata, ...promptInputs(prompt), access });
}

function accessOf(daoId: string, roles: readonly string[]): AccessFacts {
  const known = loadDefaultRoles();
  return {
    dao: { id: daoId, name: daoId },
    roles: roles.map((name) => {
      const entitlements = Object.hasOwn(known, name) ? known[name] : undefined;
      if (entitlements) return { name, entitlements };
      const there = Object.keys(known).join(', ');
      throw new CliError(
        'UNKNOWN_ROLE',
        `There is no role ${JSON.stringify(name)} in config/rbac.yml; there is ${there}.`,
      );
    }),
    platformAdmin: false,
  };
}

const ExplanationSchema: z.ZodType<Explanation> = z.looseObject({
  hash: z.string(),
  mode: z.enum(MODES),
  dao_id: z.string(),
  access: z.looseObject({ roles: z.array(z.string()), required_entitlement: z.string(), granted: z.boolean() }),
  decision: z.discriminatedUnion('allowed', [
    z.looseObject({
      allowed: z.literal(true),
      rule: z.string(),
      providers: z.array(z.string()),
      timeouts_ms: z.array(z.number()),
      deadline_ms: z.number(),
    }),
    z.looseObject({ allowed: z.literal(false), code: z.string(), detail: z.record(z.string(), z.unknown()) }),
  ]),
  known_answer: z.enum(KNOWN_QUESTIONS).nullable(),
  rules: z.array(
    z.looseObject({
      rule: z.string(),
      priority: z.number().nullable(),
      default: z.boolean(),
      outcome: z.enum(RULE_OUTCOMES),
      reasons: z.array(z.string()),
      providers: z.array(z.string()).nullable(),
    }),
  ),
});

/**
 * Asks the running instance, which knows the roles of the user.
 * @throws CliError of the instance; `ROLES_UNKNOWN_HERE`, `TOO_LONG`, `BAD_ANSWER`
 */
export async function explainThere(client: DagiClient, { roles, about }: Question): Promise<Explanation> {
  if (roles) {
    const sentence = 'The instance looks roles up by itself: name a user_id, or a file with --profile to decide here.';
    throw new CliError('ROLES_UNKNOWN_HERE', sentence);
  }
  const path = `/routing/explain?${queryOf(about).toString()}`;
  if (path.length > LONGEST_ADDRESS) {
    throw new CliError('TOO_LONG', 'This is too long for an address: decide here, with --profile FILE.');
  }
  return understood(ExplanationSchema, await client.json('GET', path));
}

function queryOf({ prompt, mode, agent, source, daoId, userId, metadata }: RouteSubmission): URLSearchParams {
  const query = new URLSearchParams({ mode });
  const optional = { prompt: prompt === '' ? undefined : prompt, agent, source, dao_id: daoId, user_id: userId };
  for (const [key, value] of Object.entries(optional)) if (value !== undefined) query.set(key, value);
  if (Object.keys(metadata).length > 0) query.set('metadata', JSON.stringify(metadata));
  return query;
}
