import type { PositionedEvent } from '../contracts/events.js';
import { requestWorkflowId } from '../contracts/ids.js';
import type { RouteRequestInput } from '../contracts/request.js';
import type { RequestRecord } from '../adapters/store/requests.repository.js';
import { routeEvent } from '../domain/bodies.js';

/** A request that Temporal has accepted, or had accepted earlier. */
export interface Accepted {
  requestId: string;
  workflowId: string;
  daoId: string;
  actor: string;
  /** Whether the workflow's first task came back with the start, so that this process runs it. */
  here: boolean;
  /** The event that every stream of this request begins with. */
  route: PositionedEvent;
  /** Headers of the answer that tell what is left of the caller's limits. */
  headers: Readonly<Record<string, string>>;
}

/** A request as those who follow it know it, until it is known to run here. */
export function toAccepted(input: RouteRequestInput): Accepted {
  const { requestId, daoId, actor, decision } = input;
  return {
    requestId,
    workflowId: requestWorkflowId(requestId, decision),
    daoId,
    actor,
    here: false,
    route: routeEvent(requestId, decision),
    headers: {},
  };
}

/** The input with which the workflow of a recorded request is started again. */
export const inputOf = ({ id, daoId, actor, decision, deadlineAt }: RequestRecord): RouteRequestInput => ({
  version: 1,
  requestId: id,
  daoId,
  actor,
  deadlineAt: deadlineAt.getTime(),
  decision,
});
