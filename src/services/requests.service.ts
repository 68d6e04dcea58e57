import pRetry from 'p-retry';
import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { Failure } from '../contracts/failures.js';
import { requestWorkflowId } from '../contracts/ids.js';
import { requestFields } from '../contracts/log-fields.js';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import { isFinal } from '../domain/bodies.js';
import { outcomeError } from '../domain/outcome.js';
import { administers } from '../domain/access.js';
import { AppError } from '../errors/app-error.js';
import { inputOf, toAccepted, type Accepted } from './accepted.js';
import type { AccessService } from './access.service.js';
import type { AvailabilityService } from './availability.service.js';
import type { Cancels } from './cancels.js';

/** For half a minute or so. */
const ABANDON_RETRY = { retries: 20, minTimeout: 500, maxTimeout: 2_000, unref: true };

/** Requests after they were accepted: those see and stop them who may. */
export class RequestsService {
  constructor(
    private readonly requests: RequestsRepository,
    private readonly access: AccessService,
    private readonly temporal: TemporalGateway,
    private readonly cancels: Pick<Cancels, 'tell'>,
    private readonly availability: AvailabilityService,
    private readonly log: Logger,
  ) {}

  /**
   * A request that the caller may see: its actor, the DAO's admins, the platform's administrator.
   * @throws AppError `REQUEST_NOT_FOUND` to everybody else
   */
  async visible(key: CallerKey, requestId: string, named: { userId?: string | undefined }): Promise<RequestRecord> {
    // First of all, so that its refusal tells nothing about the request.
    await this.access.actorOf(key, named.userId);
    const record = await this.requests.find(requestId, key.daoId);
    if (!record) throw new AppError('REQUEST_NOT_FOUND');
    const acting = await this.access.resolve(key, { daoId: record.daoId, userId: named.userId });
    if (acting.actor !== record.actor && !administers(acting.rights)) throw new AppError('REQUEST_NOT_FOUND');
    return record;
  }

  /**
   * Stops a request for real: its place in a queue, the workflow, and the model's call wherever it runs. Where it is a
   * step of a run, the run.
   * @throws AppError `REQUEST_ENDED` if there is nothing left to stop
   */
  async cancel(key: CallerKey, requestId: string, named: { userId?: string | undefined }): Promise<RequestRecord> {
    const record = await this.visible(key, requestId, named);
    if (isFinal(record.status)) throw new AppError('REQUEST_ENDED', undefined, { status: record.status });
    if (record.runId !== null) return this.cancel(key, record.runId, named);
    // First where it runs, so that the model is free at once, whether Temporal answers or not.
    this.cancels.tell(requestId);
    const found = await this.temporal.cancel(requestWorkflowId(requestId, record.decision));
    // Written down, and never started: nobody else would end it, and the sweep would start it.
    if (!found) await this.close(record, 'cancelled', { type: 'Cancelled', message: 'cancelled before it began' });
    // Only makes it sooner: its workflow gives the place up as well.
    await this.availability.withdraw(inputOf(record)).catch(() => undefined);
    return record;
  }

  /** Stops the call of a request where it runs, accepted or not. */
  stopCall(requestId: string): void {
    this.cancels.tell(requestId);
  }

  /**
   * Stops a request whose only reader went away. One that has ended is left as it is. Nobody waits for it, so whatever is
   * away is asked again for a while.
   */
  abandon(accepted: Accepted): void {
    this.stopCall(accepted.requestId);
    const stopping = pRetry(() => this.stopFor(accepted), ABANDON_RETRY);
    stopping.catch((error: unknown) => {
      this.log.warn({ ...requestFields(accepted), err: error }, 'a request that nobody waits for could not be stopped');
    });
  }

  private async stopFor({ requestId, daoId, workflowId }: Accepted): Promise<void> {
    if (await this.temporal.cancel(workflowId)) return;
    const record = await this.requests.find(requestId, daoId);
    if (!record || isFinal(record.status)) return;
    await this.close(record, 'cancelled', { type: 'Cancelled', message: 'its reader went away' });
  }

  /** A recorded request as somebody knows it who joins it later. */
  joined(record: RequestRecord): Accepted {
    return toAccepted(inputOf(record));
  }

  /** Starts the workflow of a request that is written down but may have none. Safe to repeat. */
  async restart(record: RequestRecord): Promise<void> {
    const outcome = await this.temporal.start(inputOf(record));
    if (outcome !== 'already-closed') return;
    // The workflow closed without writing down why: it was terminated, or ran into its outermost timeout.
    const fresh = await this.requests.find(record.id, record.daoId);
    const failure: Failure = { type: 'Internal', message: 'the workflow was ended from outside' };
    if (fresh && !isFinal(fresh.status)) await this.close(fresh, 'failed', failure);
  }

  /** Ends a request that no workflow will end. */
  private async close(record: RequestRecord, status: 'failed' | 'cancelled', failure: Failure): Promise<void> {
    const { attempts, timings } = record;
    const ending = { status, error: outcomeError(failure), attempts, timings };
    await this.requests.recordEnding(record.id, record.daoId, ending);
  }
}
