import { ApplicationFailure, CancellationScope, CancelledFailure, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { Failure } from '../../src/contracts/failures.js';
import type { Attempt, RouteRequestInput } from '../../src/contracts/request.js';

/** The end of a request must reach the record, however long the database is away. */
const { recordFailure } = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: '1 day',
  startToCloseTimeout: '10s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** Does something when it may be done. */
type InTurn = <T>(act: () => Promise<T>) => Promise<T>;

/**
 * Writes down that a request ends without an answer, even where it was cancelled.
 * @param inTurn when that is, where the workflow has other local activities
 * @returns its status, and the error with which its workflow must end, so that an operator finds it by its status
 */
export async function endWithout(
  { requestId, daoId, actor }: RouteRequestInput,
  failure: Failure,
  attempts: Attempt[],
  inTurn: InTurn = (act) => act(),
): Promise<{ status: 'failed' | 'cancelled'; error: Error }> {
  const status = failure.type === 'Cancelled' ? 'cancelled' : 'failed';
  await CancellationScope.nonCancellable(() =>
    inTurn(() => recordFailure({ requestId, daoId, actor, status, failure, attempts })),
  );
  return { status, error: errorOf(failure) };
}

const errorOf = ({ type, message }: Failure): Error =>
  type === 'Cancelled'
    ? new CancelledFailure('the request was cancelled')
    : ApplicationFailure.create({ type, message, nonRetryable: true });
