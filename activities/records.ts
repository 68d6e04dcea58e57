import { END_OFFSET } from '../src/contracts/events.js';
import type { RequestBody } from '../src/contracts/bodies.js';
import type { RecordFailureInput } from '../src/contracts/request.js';
import type { RequestsRepository, RequestRecord } from '../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { isFinal, requestBody } from '../src/domain/bodies.js';
import { outcomeError } from '../src/domain/outcome.js';
import { requireOwnWorkflow } from './own-workflow.js';
import { storeFailure } from './store-failure.js';
import type { ActivityLog } from './log.js';

export interface RecordsDependencies {
  requests: RequestsRepository;
  bus: InProcessTokenBus;
  log: ActivityLog;
}

export interface RecordActivities {
  /** Ends a request without an answer, once, and tells those who listen. */
  recordFailure(input: RecordFailureInput): Promise<void>;
}

/** Body of a request that ended as `failure` says. */
function endedBody(record: RequestRecord, input: RecordFailureInput): RequestBody {
  const timings = { ...record.timings, total: Date.now() - record.receivedAt.getTime() };
  const { status, attempts } = input;
  return requestBody({ ...record, status, attempts, timings, error: outcomeError(input.failure) });
}

export function createRecordActivities({ requests, bus, log }: RecordsDependencies): RecordActivities {
  return {
    async recordFailure(input) {
      const { requestId, daoId } = input;
      requireOwnWorkflow(requestId);
      const record = await storeFailure(() => requests.find(requestId, daoId));
      if (!record || isFinal(record.status)) return;
      const body = endedBody(record, input);
      if (body.ok) return;
      const ending = { status: input.status, error: body.error, attempts: body.attempts, timings: body.timings_ms };
      if (!(await storeFailure(() => requests.recordEnding(requestId, daoId, ending)))) return;
      log(input).info({ code: body.error.code, failure: input.failure.type }, 'request ended without an answer');
      bus.publish(requestId, {
        type: 'error',
        data: body,
        position: { generation: record.generation, offset: END_OFFSET },
      });
    },
  };
}
