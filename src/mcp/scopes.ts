import { z } from 'zod';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import { AppError } from '../errors/app-error.js';
import type { McpOAuth } from './oauth.js';
import { TO_STOP, type McpTool } from './tool.js';

/** Whatever is odd about the rest, the method decides: what cannot be read must not slip through. */
const CallSchema = z.looseObject({
  method: z.string(),
  params: z
    .looseObject({ name: z.string().optional().catch(undefined), arguments: z.unknown().optional() })
    .optional()
    .catch(undefined),
});

/** Methods that show something of a DAO. */
const READING = /^(resources|prompts|tasks|completion|subscriptions)\//;

/** Of what a message takes one at least; none: it takes nothing, or is refused for another reason. */
function neededFor(message: unknown, tools: readonly McpTool[]): readonly Entitlement[] {
  const { success, data } = CallSchema.safeParse(message);
  if (!success) return [];
  if (data.method === 'tasks/cancel') return TO_STOP;
  if (READING.test(data.method)) return ['chat.read'];
  if (data.method !== 'tools/call') return [];
  const tool = tools.find(({ name }) => name === data.params?.name);
  const args = tool?.input.safeParse(data.params?.arguments ?? {});
  return tool && args?.success ? [tool.needs(args.data)].flat() : [];
}

/**
 * The refusal of what the token of a call does not let through, before anything is done: its client can get another one.
 * What the roles do not allow is refused where it is done, as for keys.
 * @returns `SCOPE_MISSING`; undefined: it lets it through
 */
export function missingScope(
  { token, scopes }: CallerKey,
  message: unknown,
  { tools, oauth }: { tools: readonly McpTool[]; oauth: McpOAuth },
): AppError | undefined {
  if (!token || scopes === null) return undefined;
  const enough = neededFor(message, tools);
  const [needed] = enough;
  if (needed === undefined || enough.some((one) => scopes.includes(one))) return undefined;
  // With those that it has: a client asks for what it is told, and would lose the others.
  const wanted = [...scopes, needed];
  const headers = { 'www-authenticate': oauth.insufficient(wanted) };
  return new AppError(
    'SCOPE_MISSING',
    undefined,
    { scope: wanted.join(' '), required_entitlement: needed },
    { headers },
  );
}
