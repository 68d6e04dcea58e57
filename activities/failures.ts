import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Failure, FailureType } from '../src/contracts/failures.js';

/** What Temporal itself repeats; after everything else the workflow decides what comes next. */
const REPEATED_BY_TEMPORAL: readonly FailureType[] = ['StoreUnavailable', 'WorkerStopped'];

/**
 * A failure of the closed list, as it crosses the activity boundary. Expected ones are no error in the logs.
 * @param textSeen whether somebody may have seen a part of an answer, so that no other may follow
 */
export const toApplicationFailure = (failure: Failure, textSeen = false): ApplicationFailure =>
  ApplicationFailure.create({
    type: failure.type,
    message: failure.message,
    nonRetryable: !REPEATED_BY_TEMPORAL.includes(failure.type),
    details: textSeen ? [failure, { textSeen }] : [failure],
    ...(failure.type === 'Internal' ? {} : { category: ApplicationFailureCategory.BENIGN }),
  });
