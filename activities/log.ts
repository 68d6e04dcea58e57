import type { Logger } from 'pino';
import { routeWorkflowId } from '../src/contracts/ids.js';

interface Subject {
  requestId: string;
  daoId: string;
  actor: string;
}

/** A logger whose lines name the request that they are about. */
export type ActivityLog = (subject: Subject) => Logger;

/** Binds the fields that every line of a request carries, in whatever process. */
export const requestLog =
  (logger: Logger): ActivityLog =>
  ({ requestId, daoId, actor }) =>
    logger.child({ request_id: requestId, workflow_id: routeWorkflowId(requestId), dao_id: daoId, user_id: actor });
