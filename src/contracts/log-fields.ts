import { routeWorkflowId } from './ids.js';

/** Whom and what a request concerns. */
export interface RequestSubject {
  requestId: string;
  daoId: string;
  actor: string;
}

/** The fields by which every log line about a request names it, in whatever process. */
export const requestFields = ({ requestId, daoId, actor }: RequestSubject): Record<string, string> => ({
  request_id: requestId,
  workflow_id: routeWorkflowId(requestId),
  dao_id: daoId,
  user_id: actor,
});
