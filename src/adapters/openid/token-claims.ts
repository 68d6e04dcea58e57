import { z } from 'zod';
import { ENTITLEMENTS, type Entitlement } from '../../contracts/access.js';

/** Names in one text, or each by itself: issuers differ. */
const Names = z
  .union([z.string().transform((text) => text.split(' ')), z.array(z.string())])
  .optional()
  .catch(undefined);

const ScopesSchema = z.looseObject({ scope: Names, scp: Names, permissions: Names });

/** What a token lets through: those of its scopes that are names of entitlements. */
export function scopesOf(claims: Readonly<Record<string, unknown>>): Entitlement[] {
  const { scope = [], scp = [], permissions = [] } = ScopesSchema.parse(claims);
  const named = new Set([...scope, ...scp, ...permissions]);
  return ENTITLEMENTS.filter((one) => named.has(one));
}

/** Types of tokens in a header (RFC 9068); many issuers say nothing better than JWT. */
const ACCESS_TYPES = ['at+jwt', 'application/at+jwt'];
const USUAL_TYPES = [undefined, 'jwt', 'application/jwt'];

/** What only tokens have that tell a client who has signed in. */
const OF_ID_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash'];

/** Words of issuers for what is no access token, in claims of theirs. */
const OTHER_USES = ['id', 'refresh', 'logout'];

const wordOf = (value: unknown): string | undefined => (typeof value === 'string' ? value.toLowerCase() : undefined);

/** Whether a token is there to call with: one that tells who has signed in was made for the eyes of a client. */
export function isAccessToken(type: string | undefined, claims: Readonly<Record<string, unknown>>): boolean {
  const said = type?.toLowerCase();
  if (said !== undefined && ACCESS_TYPES.includes(said)) return true;
  const uses = [claims.typ, claims.token_use].map(wordOf);
  return (
    USUAL_TYPES.includes(said) &&
    !OF_ID_TOKENS.some((claim) => claims[claim] !== undefined) &&
    !uses.some((use) => use !== undefined && OTHER_USES.includes(use))
  );
}
