import { createHash } from 'node:crypto';
import pRetry from 'p-retry';
import stableStringify from 'safe-stable-stringify';
import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { PositionedEvent } from '../contracts/events.js';
import type { Failure } from '../contracts/failures.js';
import { routeWorkflowId } from '../contracts/ids.js';
import { requestFields } from '../contracts/log-fields.js';
import type { Decision, RouteRequestInput, RouteSubmission, Timings } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { Idempotency, RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { resolveActor } from '../domain/acting.js';
import { isFinal, routeEvent } from '../domain/bodies.js';
import { decide, promptInputs } from '../domain/decide.js';
import { outcomeError } from '../domain/outcome.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting } from './access.service.js';

const IDEMPOTENCY_MS = 24 * 3_600_000;
const REFUSED = { code: 'TEMPORAL_UNAVAILABLE', message: 'Temporal did not accept the request' };
/** For ten minutes or so. */
const REFUSE_RETRY = { retries: 300, minTimeout: 500, maxTimeout: 2_000 };
/** Longer idempotency keys are kept as their hash. */
const LONGEST_KEY = 256;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

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
}

/** How a submission came in. */
export interface Submission {
  /** Id of the HTTP request, which becomes the id of the routed one. */
  requestId: string;
  route: string;
  idempotencyKey: string | undefined;
  /** When the first byte of the request was there. */
  receivedAt: Date;
}

/** Accepts requests, and lets those see and stop them who may. */
export class RequestsService {
  constructor(
    private readonly requests: RequestsRepository,
    private readonly access: AccessService,
    private readonly temporal: TemporalGateway,
    private readonly bus: InProcessTokenBus,
    private readonly routing: RoutingTable,
    private readonly log: Logger,
  ) {}

  /**
   * Checks, routes, writes down and starts a request. When this returns, nothing that happens to this process loses it.
   * @throws AppError of access, routing, idempotency, database or Temporal; then nothing was accepted
   */
  async submit(key: CallerKey, body: RouteSubmission, submission: Submission): Promise<Accepted> {
    const { receivedAt } = submission;
    const began = Date.now();
    const acting = await this.access.resolve(key, body);
    const idempotency = toIdempotency(key, acting.actor, body, submission);
    const earlier = idempotency && (await this.earlier(idempotency));
    if (earlier) return this.attach(earlier);

    const decision = await this.decide(acting, body);
    const decided = Date.now();
    const timings: Timings = { gateway: began - receivedAt.getTime(), rbac: decided - began };
    const input = toInput(submission.requestId, acting, decision, receivedAt);
    const isNew = await this.requests.accept({
      ...body,
      ...acting,
      id: input.requestId,
      keyId: key.id,
      decision,
      timings,
      receivedAt,
      deadlineAt: new Date(input.deadlineAt),
      idempotency,
    });
    if (isNew) return this.start(input);
    // Another call with this key was quicker by a moment.
    const winner = idempotency && (await this.earlier(idempotency));
    if (!winner) throw new AppError('STORE_UNAVAILABLE');
    return this.attach(winner);
  }

  /**
   * A request that the caller may see: its actor, the DAO's admins, the platform's administrator.
   * @throws AppError `REQUEST_NOT_FOUND` to everybody else
   */
  async visible(key: CallerKey, requestId: string, named: { userId?: string | undefined }): Promise<RequestRecord> {
    // First of all, so that its refusal tells nothing about the request.
    resolveActor(key, named.userId);
    const record = await this.requests.find(requestId);
    if (!record || (key.daoId !== null && key.daoId !== record.daoId)) throw new AppError('REQUEST_NOT_FOUND');
    const acting = await this.access.resolve(key, { daoId: record.daoId, userId: named.userId });
    const may = acting.actor === record.actor || acting.rights.roles.includes('admin');
    if (!may) throw new AppError('REQUEST_NOT_FOUND');
    return record;
  }

  /**
   * Stops a request for real: the workflow, and the model's call wherever it runs.
   * @throws AppError `REQUEST_ENDED` if there is nothing left to stop
   */
  async cancel(key: CallerKey, requestId: string, named: { userId?: string | undefined }): Promise<RequestRecord> {
    const record = await this.visible(key, requestId, named);
    if (isFinal(record.status)) throw new AppError('REQUEST_ENDED', undefined, { status: record.status });
    const found = await this.temporal.cancel(requestId);
    this.bus.cancel(requestId);
    // Written down, and never started: nobody else would end it, and the sweep would start it.
    if (!found) await this.close(record, 'cancelled', { type: 'Cancelled', message: 'cancelled before it began' });
    return record;
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
    const fresh = await this.requests.find(record.id);
    const failure: Failure = { type: 'Internal', message: 'the workflow was ended from outside' };
    if (fresh && !isFinal(fresh.status)) await this.close(fresh, 'failed', failure);
  }

  private async decide(acting: Acting, body: RouteSubmission): Promise<Decision> {
    const { mode, agent, source, metadata, prompt } = body;
    const inputs = { mode, agent, source, metadata, ...promptInputs(prompt), access: acting.facts };
    const result = decide(this.routing, inputs);
    if (result.allowed) return result.decision;
    const detail = { ...result.detail, mode: body.mode, source: body.source };
    if (result.code === 'RBAC_PERMISSION_DENIED') await this.access.denied(acting, detail);
    throw new AppError(result.code, undefined, result.detail);
  }

  private async start(input: RouteRequestInput): Promise<Accepted> {
    const { requestId } = input;
    const accepted = toAccepted(input);
    const log = this.log.child(requestFields(input));
    const { rule, chain } = input.decision;
    try {
      const outcome = await this.temporal.start(input);
      log.info({ rule, providers: chain.map((step) => step.provider), start: outcome }, 'request accepted');
      return { ...accepted, here: outcome === 'eager' };
    } catch (error) {
      if (await this.refuse(requestId, log)) throw error;
      log.warn({ err: error }, 'the start looked refused, but the workflow runs');
      return accepted;
    }
  }

  /**
   * Takes back a request whose start failed, and frees its idempotency key. Returns false if it cannot be taken back,
   * since its call has begun. While the database is away this goes on behind the caller's back: a row that stays would
   * be started by the sweep.
   */
  private async refuse(requestId: string, log: Logger): Promise<boolean> {
    const attempt = (): Promise<boolean> => this.requests.refuse(requestId, REFUSED);
    try {
      return await attempt();
    } catch (error) {
      log.warn({ err: error }, 'a refused request could not be taken back yet');
      void pRetry(attempt, { ...REFUSE_RETRY, unref: true }).catch((late: unknown) => {
        log.error({ err: late }, 'a refused request was not taken back; the sweep will start it');
      });
      return true;
    }
  }

  /** Ends a request that no workflow will end. */
  private async close(record: RequestRecord, status: 'failed' | 'cancelled', failure: Failure): Promise<void> {
    const { attempts, timings } = record;
    const ending = { status, error: outcomeError(failure), attempts, timings };
    await this.requests.recordEnding(record.id, record.daoId, ending);
  }

  private async earlier(idempotency: Idempotency): Promise<RequestRecord | undefined> {
    const since = new Date(Date.now() - IDEMPOTENCY_MS);
    const record = await this.requests.findByIdempotency(idempotency, since);
    if (record && record.bodyHash !== idempotency.bodyHash) throw new AppError('IDEMPOTENCY_CONFLICT');
    return record;
  }

  /** Joins a request that was submitted before. Its first submitter may have died before the start, so start it again. */
  private async attach(record: RequestRecord): Promise<Accepted> {
    if (!isFinal(record.status)) await this.restart(record);
    return this.joined(record);
  }
}

/** A request as those who follow it know it, until it is known to run here. */
function toAccepted(input: RouteRequestInput): Accepted {
  const { requestId, daoId, actor, decision } = input;
  return {
    requestId,
    workflowId: routeWorkflowId(requestId),
    daoId,
    actor,
    here: false,
    route: routeEvent(requestId, decision),
  };
}

function toInput(requestId: string, acting: Acting, decision: Decision, receivedAt: Date): RouteRequestInput {
  const { daoId, actor } = acting;
  return { version: 1, requestId, daoId, actor, deadlineAt: receivedAt.getTime() + decision.deadlineMs, decision };
}

const inputOf = ({ id, daoId, actor, decision, deadlineAt }: RequestRecord): RouteRequestInput => ({
  version: 1,
  requestId: id,
  daoId,
  actor,
  deadlineAt: deadlineAt.getTime(),
  decision,
});

function toIdempotency(
  key: CallerKey,
  actor: string,
  body: RouteSubmission,
  { idempotencyKey, route }: Submission,
): Idempotency | undefined {
  // Some clients send the header empty when it is not filled in.
  if (idempotencyKey === undefined || idempotencyKey === '') return undefined;
  const long = idempotencyKey.length > LONGEST_KEY;
  return {
    scope: `${key.id} ${actor} ${route}`,
    key: long ? sha256(idempotencyKey) : idempotencyKey,
    bodyHash: sha256(stableStringify(body)),
  };
}
