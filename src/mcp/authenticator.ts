import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CallerKey } from '../contracts/access.js';
import type { Authenticator } from '../middleware/authenticate.js';
import type { DaoChoice, TokenCallersService } from '../services/token-callers.service.js';
import { daoHeader, decoded } from './caller.js';

const Place = z
  .looseObject({ dao_id: z.string().optional().catch(undefined) })
  .optional()
  .catch(undefined);

const CallSchema = z.looseObject({
  method: z.string(),
  params: z
    .looseObject({
      uri: z.string().optional().catch(undefined),
      arguments: z
        .looseObject({ dao_id: z.string().optional().catch(undefined), metadata: Place, params: Place, inputs: Place })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Methods that do something in a DAO, or show something of it. */
const IN_A_DAO = /^(tools\/call$|prompts\/get$|resources\/|tasks\/|completion\/|subscriptions\/)/;

/** Keys of ours, and access tokens. */
export class McpAuthenticator implements Authenticator {
  constructor(
    private readonly keys: Authenticator,
    private readonly tokens: TokenCallersService,
  ) {}

  /** @throws AppError `UNAUTHENTICATED` with the reason, of what is a token; `ISSUER_UNAVAILABLE` */
  async authenticate(
    credential: string,
    request: Pick<FastifyRequest, 'headers' | 'body'>,
  ): Promise<CallerKey | undefined> {
    const key = await this.keys.authenticate(credential, request);
    return key ?? this.tokens.callerOf(credential, choiceOf(request));
  }
}

/** Which DAO a call means: what its arguments say goes before its header. */
function choiceOf(request: Pick<FastifyRequest, 'headers' | 'body'>): DaoChoice {
  if (request.body === undefined) return { unnamed: 'undecided' };
  const { success, data } = CallSchema.safeParse(request.body);
  if (!success || !IN_A_DAO.test(data.method)) return { named: daoHeader(request), unnamed: 'first' };
  return { named: namedBy(data) ?? daoHeader(request), unnamed: 'refuse' };
}

function namedBy({ params = {} }: z.output<typeof CallSchema>): string | undefined {
  const { uri = '', arguments: args = {} } = params;
  const named = [args, args.metadata, args.params, args.inputs].map((place) => place?.dao_id);
  const ofResource = /^dagi:\/\/([^/?#]+)/.exec(uri)?.[1];
  return [...named, ofResource && decoded(ofResource)].find((one) => one !== undefined);
}
