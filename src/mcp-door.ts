import type { OAuthSettings } from '../config/mcp-schema.js';
import type { Env } from '../config/env.js';
import { OpenIdIssuer } from './adapters/openid/openid-issuer.js';
import { McpAuthenticator } from './mcp/authenticator.js';
import { McpOAuth } from './mcp/oauth.js';
import type { Repositories } from './repositories.js';
import type { AccessService } from './services/access.service.js';
import type { KeysService } from './services/keys.service.js';
import { TokenCallersService } from './services/token-callers.service.js';

export interface McpDoorParts {
  env: Pick<Env, 'MCP_PUBLIC_URL' | 'PUBLIC_URL'>;
  access: AccessService;
  repositories: Pick<Repositories, 'keys' | 'audit'>;
  keys: KeysService;
  /** As the profile that runs has it. */
  settings: () => { oauth?: OAuthSettings | undefined };
  /** Where the server listens, once it does. */
  listensAt: () => string;
}

/** Who is let in to the MCP server: keys of ours, and tokens of the issuer that the profile names. */
export function mcpDoorOf(parts: McpDoorParts): { authenticator: McpAuthenticator; oauth: McpOAuth } {
  const { env, access, keys, settings, listensAt } = parts;
  const oauth = new McpOAuth({
    address: () => (env.MCP_PUBLIC_URL === undefined ? listensAt() : withoutEndpoint(env.MCP_PUBLIC_URL)),
    issuer: () => settings().oauth?.issuer,
    documentation: env.PUBLIC_URL === undefined ? undefined : `${env.PUBLIC_URL.replace(/\/+$/, '')}/docs`,
  });
  const tokens = new TokenCallersService({
    ...{ access, uses: keys, keys: parts.repositories.keys, audit: parts.repositories.audit },
    issuerOf: (issuer) => new OpenIdIssuer(issuer),
    settings: () => {
      const set = settings().oauth;
      if (!set) return undefined;
      const { issuer, audience = oauth.resource, dao_id: daoId, dao_claim: daoClaim } = set;
      return { issuer, audience, daoId, daoClaim };
    },
  });
  return { authenticator: new McpAuthenticator(keys, tokens), oauth };
}

/** The public address may be given with the path of the endpoint, or without. */
const withoutEndpoint = (address: string): string => address.replace(/[?#].*$/, '').replace(/(\/mcp)?\/*$/, '');
