import { Context } from '@temporalio/activity';
import { requestIdOf, runOf } from '../src/contracts/ids.js';
import { toApplicationFailure } from './failures.js';

/**
 * Refuses a call for a request that comes from another workflow than the request's own. The embedded server asks
 * nobody who they are: whoever reaches its port can start workflows that call our activities.
 */
export function requireOwnWorkflow(requestId: string): void {
  const own = requestIdOf(Context.current().info.workflowExecution?.workflowId ?? '');
  if (own === requestId || (own !== undefined && runOf(requestId) === own)) return;
  throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the request' });
}
