import { routeWorkflowId } from './ids.js';

/** Whom and what a request concerns. */
export interface RequestSubject {
  requestId: string;
  daoId: string;
  actor: string;
  /** Absent: of a chat. */
  workflowId?: string;
}

/** The fields by which every log line about a request names it, in whatever process. */
export const requestFields = ({ requestId, daoId, actor, workflowId }: RequestSubject): Record<string, string> => ({
  request_id: requestId,
  workflow_id: workflowId ?? routeWorkflowId(requestId),
  dao_id: daoId,
  user_id: actor,
});
