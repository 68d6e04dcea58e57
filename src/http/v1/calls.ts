import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { requestFields } from '../../contracts/log-fields.js';
import type { PositionedEvent } from '../../contracts/events.js';
import type { RouteSubmission } from '../../contracts/request.js';
import { AppError } from '../../errors/app-error.js';
import { contextOf, keyOf } from '../../middleware/context.js';
import { sendError } from '../../middleware/error.filter.js';
import { openAiLimits } from '../../middleware/openai-limits.js';
import type { Accepted } from '../../services/accepted.js';
import { DrainService } from '../../services/drain.service.js';
import { noModel } from '../../services/models.service.js';
import { OutcomesService } from '../../services/outcomes.service.js';
import { RequestsService } from '../../services/requests.service.js';
import { SubmissionsService } from '../../services/submissions.service.js';
import type { Chunks } from './chunks.js';
import { answerOf, pausedAnswer, Unanswered, type Answer } from './outcome.js';
import { CHUNK_LIMITS, PROVIDER_HEADER, sendChunks } from './send-chunks.js';

/** A call of `/v1` that was read. */
export interface Call {
  request: FastifyRequest;
  reply: FastifyReply;
  idempotencyKey: string | undefined;
  /** Name of the endpoint: a key of idempotency holds within it. */
  route: string;
  submission: RouteSubmission;
  ignored: readonly string[];
}

/** An answer in whole: what it is made of, and the head of it. */
export type Written = (answer: Answer, accepted: Accepted) => object;

/** How long a run of a crew is waited for: OpenAI's own clients give up after ten minutes. */
const PATIENCE_MS = 540_000;

/** The models that there can be beside crews; which of them are open to a caller is decided with the request. */
const MODELS = /^(?:dagi-stack|provider\/.+)$/;

/** Puts what clients of OpenAI ask through the one door, and gives them what comes out of it. */
@Injectable()
export class OpenAiCalls {
  constructor(
    private readonly submissions: SubmissionsService,
    private readonly outcomes: OutcomesService,
    private readonly requests: RequestsService,
    private readonly drain: DrainService,
  ) {}

  /** Answers a call with one body, when its request has ended. */
  async answer(call: Call, write: Written): Promise<void> {
    const gone = this.attend(call);
    const accepted = await this.submit(call, gone);
    const body = await this.outcomes.wait(accepted, this.until(call, gone));
    if (gone.aborted) return;
    await telling(call, () => {
      const answer = body.ok && body.data === null ? this.unfinished(call, accepted) : answerOf(body);
      if (body.ok && body.provider !== null) void call.reply.header(PROVIDER_HEADER, body.provider);
      void call.reply.status(200).send(write(answer, accepted));
    });
  }

  /** Answers a call piece by piece. */
  async stream(call: Call, chunksOf: (accepted: Accepted) => Chunks): Promise<void> {
    const accepted = await this.submit(call, this.attend(call));
    const chunks = chunksOf(accepted);
    const source = {
      produce: (gone: AbortSignal) => this.events(call, accepted, gone),
      unfinished: () => this.unfinished(call, accepted),
    };
    const waitedMs = Date.now() - contextOf(call.request).receivedAt.getTime();
    const limits = { ...CHUNK_LIMITS, openMs: Math.max(0, CHUNK_LIMITS.openMs - waitedMs) };
    try {
      await telling(call, () => sendChunks(call.reply, chunks, source, limits));
    } finally {
      // Told of another run of the model, it cannot be told to the end.
      if (!chunks.settled) this.leave(call, accepted);
    }
  }

  /** What happens to a request until it ends, or, of a run of a crew, until it waits for people. */
  private events(call: Call, accepted: Accepted, gone: AbortSignal): AsyncGenerator<PositionedEvent> {
    return this.outcomes.eventsUntilPeople(accepted, this.until(call, gone));
  }

  /** Until when a call waits: requests have a deadline of their own, runs of crews have none. */
  private until({ submission }: Call, gone: AbortSignal): AbortSignal {
    const here = this.drain.orStopping(gone);
    return submission.crew ? AbortSignal.any([here, AbortSignal.timeout(PATIENCE_MS)]) : here;
  }

  /** What is answered to whoever waits no longer for a request that goes on. @throws Unanswered: nothing */
  private unfinished({ submission }: Call, { requestId }: Accepted): Answer {
    if (submission.crew && !this.drain.isStopping) return pausedAnswer(requestId);
    throw new Unanswered(new AppError('SHUTTING_DOWN'));
  }

  /** A signal for the reader going away. The model is to be free at once, even before the request is accepted. */
  private attend(call: Call): AbortSignal {
    const { raw } = call.reply;
    const gone = new AbortController();
    const leave = (): void => {
      if (raw.writableFinished) return;
      if (this.isAlone(call)) this.requests.stopCall(call.request.id);
      gone.abort();
    };
    raw.once('close', leave);
    if (raw.destroyed) leave();
    return gone.signal;
  }

  private async submit(call: Call, gone: AbortSignal): Promise<Accepted> {
    const { request, reply, submission, ignored, idempotencyKey, route } = call;
    this.drain.refuseWhenStopping();
    if (ignored.length > 0) void reply.header('x-dagi-ignored-parameters', ignored.join(', '));
    const { model = '', crew } = submission;
    if (!crew && !MODELS.test(model)) throw noModel(model);
    const context = contextOf(request);
    const alone = this.isAlone(call) && { gone };
    const about = { requestId: request.id, route, idempotencyKey, receivedAt: context.receivedAt, ...alone };
    const accepted = await this.submissions.submit(keyOf(request), submission, about);
    Object.assign(context.fields, requestFields(accepted));
    const leave = (): void => {
      this.leave(call, accepted);
    };
    gone.addEventListener('abort', leave);
    if (gone.aborted) leave();
    void reply.headers({ ...accepted.headers, ...openAiLimits(accepted.headers) });
    return accepted;
  }

  /** Nobody is there any more to take what is still to come. */
  private leave(call: Call, accepted: Accepted): void {
    if (this.isAlone(call)) this.requests.abandon(accepted);
  }

  /**
   * Whether nobody but this caller waits for the answer. Whoever named the request means to come back for it; and whoever
   * is sent away since this process stops does not leave. A run of a crew is a DAO's, not a caller's.
   */
  private isAlone({ idempotencyKey, submission }: Call): boolean {
    const named = idempotencyKey !== undefined && idempotencyKey !== '';
    return !named && !submission.crew && !this.drain.isStopping;
  }
}

/** What a request ended with is told, and is no failure of ours that the log should have. */
async function telling({ request, reply }: Call, tell: () => void | Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    sendError(error.error, request, reply);
  }
}
