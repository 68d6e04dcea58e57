import { MODE_ENTITLEMENTS } from '../contracts/request.js';
import { ENTITLEMENTS, type Entitlement } from '../contracts/access.js';
import { SERVER_TITLE } from './names.js';

/** Where a resource says who gives out tokens for it (RFC 9728). */
const METADATA_PATH = '/.well-known/oauth-protected-resource';
const ENDPOINT = '/mcp';

/** What tokens are good for here: what some tool asks for. Clients that are told of no scope ask for all of these. */
const USED = new Set<Entitlement>(['chat.read', ...Object.values(MODE_ENTITLEMENTS)]);
const SCOPES = ENTITLEMENTS.filter((one) => USED.has(one));

export interface McpOAuthOptions {
  /** The address of the server as clients have it, without the path of the endpoint. */
  address: () => string;
  /** Who gives tokens out; undefined: nobody. Asked for with each call. */
  issuer: () => string | undefined;
  /** A page for people. */
  documentation: string | undefined;
}

/** What clients are told of access tokens: where to get one, and what it lacks. */
export class McpOAuth {
  constructor(private readonly options: McpOAuthOptions) {}

  /** The address of the endpoint, for which tokens are made. */
  get resource(): string {
    return `${this.options.address()}${ENDPOINT}`;
  }

  /** The document of the resource; undefined: no tokens are taken. */
  metadata(): Record<string, unknown> | undefined {
    const { issuer, documentation } = this.options;
    const server = issuer();
    if (server === undefined) return undefined;
    return {
      ...{ resource: this.resource, authorization_servers: [server], scopes_supported: SCOPES },
      ...{ bearer_methods_supported: ['header'], resource_name: SERVER_TITLE },
      ...(documentation !== undefined && { resource_documentation: documentation }),
    };
  }

  /** `WWW-Authenticate` of a call that was not let in. @param gave whether it had a credential */
  unauthenticated(gave: boolean): string {
    return this.challenge(gave ? ['error="invalid_token"'] : []);
  }

  /** The same of a call whose token lacks a scope. */
  insufficient(scopes: readonly string[]): string {
    return this.challenge(['error="insufficient_scope"', `scope="${scopes.join(' ')}"`]);
  }

  private challenge(words: readonly string[]): string {
    const { issuer, address } = this.options;
    if (issuer() === undefined) return 'Bearer';
    return `Bearer ${[...words, `resource_metadata="${address()}${METADATA_PATH}${ENDPOINT}"`].join(', ')}`;
  }
}
