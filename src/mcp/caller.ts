import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallerKey } from '../contracts/access.js';
import { id } from '../schemas/common.js';
import { contextOf, keyOf } from '../middleware/context.js';
import type { Named } from '../services/access.service.js';
import { AppError } from '../errors/app-error.js';
import { CANCEL_HEADER, DAO_HEADER, DETACHED_HEADER, USER_HEADER } from './headers.js';

/** Who makes one call over MCP, as whom, and how it came. */
export class McpCaller {
  readonly key: CallerKey;
  /** Id of the call over HTTP: that of the request which it makes. */
  readonly requestId: string;
  readonly receivedAt: Date;
  /** Whether a broken connection means that nobody wants the answer. */
  readonly detached: boolean;
  /** Whether the call is there to give up the same one, which was made before. */
  readonly givesUp: boolean;
  /** Further fields of the line that the log has of the call. */
  readonly fields: Record<string, string>;
  /** Whom a gateway key names, and the DAO that is chosen. */
  readonly named: Named;
  /** Resolves when the answer has been written, or (false) the connection is gone before. */
  readonly answered: Promise<boolean>;

  /** @throws AppError `UNAUTHENTICATED`, `QUERY_INVALID` */
  constructor(request: FastifyRequest, reply: FastifyReply) {
    const { receivedAt, fields } = contextOf(request);
    this.key = keyOf(request);
    this.requestId = request.id;
    this.receivedAt = receivedAt;
    this.fields = fields;
    this.detached = request.headers[DETACHED_HEADER] !== undefined;
    this.givesUp = request.headers[CANCEL_HEADER] !== undefined;
    this.named = { daoId: daoHeader(request), userId: headerOf(request, USER_HEADER) };
    const { raw } = reply;
    this.answered = new Promise((resolve) => {
      raw.once('close', () => {
        resolve(raw.writableFinished);
      });
    });
  }

  /**
   * Who acts and where: as the headers say, which are the client's, and as the arguments say, which a model writes, where
   * headers say nothing.
   * @throws AppError `ACTING_NOT_ALLOWED`, `DAO_FORBIDDEN` where arguments contradict the headers
   */
  actingIn({ daoId, userId }: Named = {}): Named {
    const { named } = this;
    if (contradicts(userId, named.userId)) {
      throw new AppError('ACTING_NOT_ALLOWED', 'This client acts as one person alone: leave out user_id.');
    }
    if (contradicts(daoId, named.daoId)) {
      throw new AppError('DAO_FORBIDDEN', `This client works in ${named.daoId} alone: leave out dao_id.`);
    }
    return { daoId: daoId ?? named.daoId, userId: userId ?? named.userId };
  }
}

const contradicts = (argued: string | undefined, settled: string | undefined): boolean =>
  argued !== undefined && settled !== undefined && argued !== settled;

/** Which DAO the header of a call chooses. @throws AppError `QUERY_INVALID` */
export const daoHeader = (request: Pick<FastifyRequest, 'headers'>): string | undefined =>
  headerOf(request, DAO_HEADER);

function headerOf({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined || value === '') return undefined;
  const parsed = id.safeParse(typeof value === 'string' ? decoded(value) : value);
  if (!parsed.success) throw new AppError('QUERY_INVALID', `The header ${name} holds no id.`);
  return parsed.data;
}

/** Headers and addresses carry no letters beyond Latin ones: others are percent-encoded. */
export function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
