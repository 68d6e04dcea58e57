import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import { routeWorkflowId } from '../contracts/ids.js';
import type { Decision, RouteRequestInput, Timings } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { Idempotency, RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { resolveActor } from '../domain/acting.js';
import { isFinal } from '../domain/bodies.js';
import { decide } from '../domain/decide.js';
import { outcomeError } from '../domain/outcome.js';
import { AppError } from '../errors/app-error.js';
import type { RouteSubmission } from '../schemas/route.js';
import type { AccessService, Acting } from './access.service.js';

const IDEMPOTENCY_MS = 24 * 3_600_000;
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
    await this.temporal.cancel(requestId);
    this.bus.cancel(requestId);
    return record;
  }

  /** Starts the workflow of a request that is written down but may have none. Safe to repeat. */
  async restart(record: RequestRecord): Promise<void> {
    const outcome = await this.temporal.start(inputOf(record));
    if (outcome !== 'already-closed') return;
    // The workflow closed without writing down why: it was terminated, or ran into its outermost timeout.
    const fresh = await this.requests.find(record.id);
    if (fresh && !isFinal(fresh.status)) await this.close(fresh, 'the workflow was ended from outside', false);
  }

  private async decide(acting: Acting, body: RouteSubmission): Promise<Decision> {
    const result = decide(this.routing, acting.facts, body);
    if (result.allowed) return result.decision;
    const detail = { ...result.detail, mode: body.mode, source: body.source };
    if (result.code === 'RBAC_PERMISSION_DENIED') await this.access.denied(acting, detail);
    throw new AppError(result.code, undefined, result.detail);
  }

  private async start(input: RouteRequestInput): Promise<Accepted> {
    const { requestId, daoId, actor } = input;
    const workflowId = routeWorkflowId(requestId);
    const log = this.log.child({ request_id: requestId, workflow_id: workflowId, dao_id: daoId, user_id: actor });
    const { mode, rule, chain } = input.decision;
    this.bus.publish(requestId, {
      type: 'route',
      data: {
        request_id: requestId,
        workflow_id: workflowId,
        mode,
        rule,
        providers: chain.map((step) => step.provider),
      },
      position: { generation: 0, offset: 0 },
    });
    try {
      const outcome = await this.temporal.start(input);
      log.info({ rule, providers: chain.map((step) => step.provider), start: outcome }, 'request accepted');
      return { requestId, workflowId, daoId, actor, here: outcome === 'eager' };
    } catch (error) {
      const taken = await this.refuse(input);
      if (!taken) throw error;
      log.warn({ err: error }, 'the start looked refused, but the workflow runs');
      return { requestId, workflowId, daoId, actor, here: false };
    }
  }

  /** Takes back a request whose start failed. Returns true if it cannot be taken back, since its call has begun. */
  private async refuse(input: RouteRequestInput): Promise<boolean> {
    const record = await this.requests.find(input.requestId);
    if (!record) return false;
    const refused = await this.close(record, 'Temporal did not accept the request', true);
    if (refused) this.bus.forget(input.requestId);
    return !refused;
  }

  private close(record: RequestRecord, message: string, refused: boolean): Promise<boolean> {
    const error = refused ? { code: 'TEMPORAL_UNAVAILABLE', message } : outcomeError({ type: 'Internal', message });
    const { attempts, timings } = record;
    return this.requests.recordEnding(record.id, record.daoId, { status: 'failed', error, attempts, timings }, refused);
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
    const { id, daoId, actor } = record;
    return { requestId: id, workflowId: routeWorkflowId(id), daoId, actor, here: false };
  }
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
