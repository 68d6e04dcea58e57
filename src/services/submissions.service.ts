import pRetry from 'p-retry';
import stableStringify from 'safe-stable-stringify';
import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import { requestFields } from '../contracts/log-fields.js';
import {
  DIALOG_PRIORITY,
  type CrewChoice,
  type Decision,
  type DecisionInputs,
  type ProviderStep,
  type RouteRequestInput,
  type RouteSubmission,
  type Timings,
} from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type {
  Idempotency,
  NewRequest,
  RequestRecord,
  RequestsRepository,
} from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import { isFinal } from '../domain/bodies.js';
import { decide, neededFor, promptInputs } from '../domain/decide.js';
import { rateHeaders } from '../domain/limits.js';
import { AppError } from '../errors/app-error.js';
import { toAccepted, type Accepted } from './accepted.js';
import type { AccessService, Acting } from './access.service.js';
import type { AvailabilityService } from './availability.service.js';
import { choiceOf, type CrewStarts } from './crew-starts.js';
import type { HeadStarts } from './head-starts.js';
import type { LimitsService } from './limits.service.js';
import { noModel } from './models.service.js';
import type { RequestsService } from './requests.service.js';
import { sha256 } from '../adapters/digest.js';

const IDEMPOTENCY_MS = 24 * 3_600_000;
const REFUSED = { code: 'TEMPORAL_UNAVAILABLE', message: 'Temporal did not accept the request' };
/** For ten minutes or so. */
const REFUSE_RETRY = { retries: 300, minTimeout: 500, maxTimeout: 2_000 };
/** Longer idempotency keys are kept as their hash. */
const LONGEST_KEY = 256;

/** How a submission came in. */
export interface Submission {
  /** Id of the HTTP request, which becomes the id of the routed one. */
  requestId: string;
  route: string;
  idempotencyKey: string | undefined;
  /** That nothing can have come in under this key before, so that nobody need look. */
  isFirst?: boolean;
  /** When the first byte of the request was there. */
  receivedAt: Date;
  /** Aborted when nobody is there any more to take the answer, who could come back for it. */
  gone?: AbortSignal;
}

/** What submissions are made of. */
export interface SubmissionParts {
  requests: RequestsRepository;
  refusals: RefusalsRepository;
  access: AccessService;
  limits: LimitsService;
  availability: AvailabilityService;
  headStarts: HeadStarts;
  crews: CrewStarts;
  temporal: TemporalGateway;
  /** Joins a request that was accepted before. */
  accepted: RequestsService;
  /** The rules as they are now. */
  routing: () => RoutingTable;
  log: Logger;
}

/** The door for everything that is routed: checks, decides, reserves, writes down and starts. */
export class SubmissionsService {
  constructor(private readonly parts: SubmissionParts) {}

  /**
   * Checks, routes, writes down and starts a request. When this returns, nothing that happens to this process loses it.
   * @throws AppError of access, limits, routing, idempotency, queues, database or Temporal, `REQUEST_CANCELLED` where the
   * caller is gone; then nothing was accepted
   */
  async submit(key: CallerKey, body: RouteSubmission, submission: Submission): Promise<Accepted> {
    const { receivedAt, requestId, gone } = submission;
    const began = Date.now();
    const acting = await this.parts.access.resolve(key, body);
    const idempotency = toIdempotency(key, acting.actor, body, submission);
    const earlier = idempotency && !submission.isFirst && (await this.earlier(acting.daoId, idempotency));
    if (earlier) return this.again(acting, body, earlier);

    const limits = await this.parts.limits.admit(key.id, acting.daoId, acting.limits);
    const crew = body.crew && (await this.parts.crews.find(acting, body.crew));
    const decision = await this.decide(requestId, acting, body, crew && choiceOf(crew));
    const run = body.crew && crew && (await this.parts.crews.begin(acting, crew, body.crew, body.prompt));
    // Nothing has begun: what nobody waits for had better not.
    if (gone?.aborted) throw new AppError('REQUEST_CANCELLED');
    const timings: Timings = { gateway: began - receivedAt.getTime(), rbac: Date.now() - began };
    const input = toInput(requestId, acting, decision, receivedAt);
    const accepted = await this.run(input, {
      ...body,
      ...acting,
      id: requestId,
      keyId: key.id,
      access: acting.facts,
      decision,
      timings,
      receivedAt,
      deadlineAt: new Date(input.deadlineAt),
      idempotency,
      run,
    });
    return { ...accepted, headers: rateHeaders(limits) };
  }

  /**
   * The request that came in under an idempotency key; undefined: there is none.
   * @throws AppError of access, idempotency and database
   */
  async find(key: CallerKey, body: RouteSubmission, submission: Submission): Promise<Accepted | undefined> {
    const { daoId, actor } = await this.parts.access.resolve(key, body);
    const idempotency = toIdempotency(key, actor, body, submission);
    const record = idempotency && (await this.earlier(daoId, idempotency));
    return record && this.parts.accepted.joined(record);
  }

  /**
   * Reserves a place for a request that is decided, writes it down and starts it.
   * @throws AppError of queues, database or Temporal; then nothing was accepted
   */
  async run(input: RouteRequestInput, row: NewRequest): Promise<Accepted> {
    const skipped = await this.parts.availability.plan(input, row.call);
    const planned = skipped.length > 0 ? { ...input, skipped } : input;
    const step = this.parts.headStarts.stepFor(planned);
    return this.accept(step ? takenOverLocally(planned, step) : planned, { ...row, begunAt: step?.provider });
  }

  private async decide(
    id: string,
    acting: Acting,
    body: RouteSubmission,
    crew: CrewChoice | undefined,
  ): Promise<Decision> {
    const { mode, agent, source, metadata, prompt, model } = body;
    const seen = { mode, agent, source, metadata, model, crew, ...promptInputs(prompt) };
    const inputs: DecisionInputs = { ...seen, access: acting.facts };
    const table = this.parts.routing();
    const result = decide(table, inputs);
    if (result.allowed)
      return body.chat === undefined ? result.decision : { priority: DIALOG_PRIORITY, ...result.decision };
    const { code, detail } = result;
    const { daoId, actor } = acting;
    await this.parts.refusals.add({ id, daoId, actor, at: new Date(), code, configHash: table.hash, inputs });
    if (code === 'RBAC_PERMISSION_DENIED') {
      await this.parts.limits.giveBack(daoId, acting.limits);
      await this.parts.access.denied(acting, { ...detail, mode });
    }
    throw code === 'MODEL_NOT_FOUND' ? noModel(model ?? '') : new AppError(code, undefined, detail);
  }

  /**
   * Writes a request down and starts it, beside the call to its model where that may begin; whatever fails, the call ends
   * and its place in a queue is given back. Of several with one idempotency key only the first may call: who that is,
   * the row tells.
   */
  private async accept(input: RouteRequestInput, row: NewRequest): Promise<Accepted> {
    const { headStarts, requests } = this.parts;
    try {
      if (!row.idempotency) await headStarts.begin(input, row);
      if (await requests.accept(row)) {
        if (row.idempotency) await headStarts.begin(input, row);
        const { requestId: runId, daoId } = input;
        const ahead = row.run ? this.parts.crews.lookAhead({ runId, daoId }) : undefined;
        return await this.start(input, row.begunAt !== undefined, ahead);
      }
    } catch (error) {
      headStarts.takeBack(input.requestId);
      await this.withdraw(input);
      throw error;
    }
    if (!row.idempotency) headStarts.takeBack(input.requestId);
    await this.withdraw(input);
    // Another call with this key was quicker by a moment.
    const winner = row.idempotency && (await this.earlier(row.daoId, row.idempotency));
    if (!winner) throw new AppError('STORE_UNAVAILABLE');
    return this.attach(winner);
  }

  /** A place that nobody uses falls away by itself; giving it back only makes that sooner. */
  private async withdraw(input: RouteRequestInput): Promise<void> {
    await this.parts.availability.withdraw(input).catch((error: unknown) => {
      this.parts.log.warn({ ...requestFields(input), err: error }, 'a reserved place was not given back');
    });
  }

  /** @param ahead what is being written about a run beside its start */
  private async start(input: RouteRequestInput, begun: boolean, ahead?: Promise<void>): Promise<Accepted> {
    const accepted = toAccepted(input);
    const log = this.parts.log.child(requestFields(accepted));
    const { rule, chain } = input.decision;
    try {
      const outcome = await this.parts.temporal.start(input);
      void this.parts.headStarts.accepted(input.requestId, outcome === 'eager');
      const skipped = input.skipped?.map(({ provider, reason }) => `${provider}: ${reason}`);
      log.info({ rule, providers: chain.map((step) => step.provider), skipped, start: outcome }, 'request accepted');
      return { ...accepted, here: outcome === 'eager' };
    } catch (error) {
      const { headStarts } = this.parts;
      headStarts.startFailed();
      // What it writes ends with the run.
      await ahead;
      // The call goes first: from then on nobody can take it over, and only a claim can keep the row from being closed.
      const takenOver = begun && !headStarts.takeBack(input.requestId);
      if (!takenOver && (await this.refuse(input, begun, log))) throw error;
      log.warn({ err: error }, 'the start looked refused, but the workflow runs');
      return accepted;
    }
  }

  /**
   * Takes back a request whose start failed, and frees its idempotency key. Returns false if it cannot be taken back,
   * since its call has begun. While the database is away this goes on behind the caller's back: a row that stays would
   * be started by the sweep.
   */
  private async refuse({ requestId, daoId }: RouteRequestInput, begun: boolean, log: Logger): Promise<boolean> {
    const attempt = (): Promise<boolean> => this.parts.requests.refuse(requestId, daoId, REFUSED, begun);
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

  private async earlier(daoId: string, idempotency: Idempotency): Promise<RequestRecord | undefined> {
    const since = new Date(Date.now() - IDEMPOTENCY_MS);
    const record = await this.parts.requests.findByIdempotency(daoId, idempotency, since);
    if (record && record.bodyHash !== idempotency.bodyHash) throw new AppError('IDEMPOTENCY_CONFLICT');
    return record;
  }

  /** Joins a request of one's own, for as long as one may ask such a thing at all. */
  private async again(acting: Acting, { mode }: RouteSubmission, earlier: RequestRecord): Promise<Accepted> {
    const needed = neededFor(earlier.decision);
    const { entitlements, roles } = acting.rights;
    // What is answered without a model is for those who may not ask one, too.
    const withoutModel = mode === 'chat' && earlier.decision.chain.length === 0;
    if (entitlements.includes(needed) || withoutModel) return this.attach(earlier);
    const detail = { required_entitlement: needed, roles };
    await this.parts.access.denied(acting, { ...detail, mode });
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }

  /** Joins a request that was submitted before. Its first submitter may have died before the start, so start it again. */
  private async attach(record: RequestRecord): Promise<Accepted> {
    if (!isFinal(record.status)) await this.parts.accepted.restart(record);
    return this.parts.accepted.joined(record);
  }
}

/**
 * A call that runs already is taken over inside the workflow's task: handing it to an activity of its own would cost
 * Temporal as much as all the rest, for nothing that is not running yet.
 */
function takenOverLocally(input: RouteRequestInput, { provider }: ProviderStep): RouteRequestInput {
  const chain = input.decision.chain.map((step): ProviderStep =>
    step.provider === provider ? { ...step, shape: 'local' } : step,
  );
  return { ...input, decision: { ...input.decision, chain } };
}

function toInput(requestId: string, acting: Acting, decision: Decision, receivedAt: Date): RouteRequestInput {
  const { daoId, actor } = acting;
  return { version: 1, requestId, daoId, actor, deadlineAt: receivedAt.getTime() + decision.deadlineMs, decision };
}

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
