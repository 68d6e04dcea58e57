import { z } from 'zod';
import type { CallerKey, Entitlement } from '../contracts/access.js';
import { AppError } from '../errors/app-error.js';
import type { McpOAuth } from './oauth.js';
import type { McpTool } from './tool.js';

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

/** What a message takes at least; undefined: nothing, or it is refused for another reason. */
function neededFor(message: unknown, tools: readonly McpTool[]): Entitlement | undefined {
  const { success, data } = CallSchema.safeParse(message);
  if (!success) return undefined;
  if (READING.test(data.method)) return 'chat.read';
  if (data.method !== 'tools/call') return undefined;
  const tool = tools.find(({ name }) => name === data.params?.name);
  const args = tool?.input.safeParse(data.params?.arguments ?? {});
  return args?.success ? tool?.needs(args.data) : undefined;
}

/**
 * Refuses what the token of a call does not let through, before anything is done: its client can get another one. What the
 * roles do not allow is refused where it is done, as for keys.
 * @throws AppError `SCOPE_MISSING`
 */
export function requireScope(
  { token, scopes }: CallerKey,
  message: unknown,
  { tools, oauth }: { tools: readonly McpTool[]; oauth: McpOAuth },
): void {
  if (!token || scopes === null) return;
  const needed = neededFor(message, tools);
  if (needed === undefined || scopes.includes(needed)) return;
  // With those that it has: a client asks for what it is told, and would lose the others.
  const wanted = [...scopes, needed];
  const headers = { 'www-authenticate': oauth.insufficient(wanted) };
  throw new AppError(
    'SCOPE_MISSING',
    undefined,
    { scope: wanted.join(' '), required_entitlement: needed },
    { headers },
  );
}
