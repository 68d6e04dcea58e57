import type { CallerKey } from '../contracts/access.js';
import type { Decision, RouteRequestInput } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { AskedQuestion, NewRequest, RequestsRepository } from '../adapters/store/requests.repository.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from './accepted.js';
import type { AccessService } from './access.service.js';
import { TRIAL_RULE } from './recorded-decisions.js';
import type { SubmissionsService } from './submissions.service.js';
import type { TrialRunner } from './whatif.service.js';

/** Behind everybody who waits for an answer. */
const TRIAL_PRIORITY = 5;

/** Recorded requests asked again, as requests of their own: durable, recorded, last in every queue. */
export class TrialsService implements TrialRunner {
  constructor(
    private readonly requests: RequestsRepository,
    private readonly access: AccessService,
    private readonly submissions: SubmissionsService,
    private readonly routing: () => RoutingTable,
  ) {}

  async trial(
    key: CallerKey,
    recordedRequestId: string,
    provider: string,
    submission: { requestId: string; receivedAt: Date },
  ): Promise<Accepted> {
    const question = await this.asked(recordedRequestId);
    const { daoId } = question.record;
    const acting = await this.access.resolve(key, { daoId });
    const decision = this.decision(question, provider);
    const { requestId, receivedAt } = submission;
    const deadlineAt = receivedAt.getTime() + decision.deadlineMs;
    const input: RouteRequestInput = { version: 1, requestId, daoId, actor: acting.actor, deadlineAt, decision };
    const row: NewRequest = {
      id: requestId,
      daoId,
      actor: acting.actor,
      keyId: key.id,
      source: 'whatif',
      mode: 'chat',
      agent: undefined,
      sessionId: undefined,
      prompt: question.prompt,
      metadata: { trial_of: recordedRequestId },
      access: acting.facts,
      decision,
      timings: {},
      receivedAt,
      deadlineAt: new Date(deadlineAt),
      idempotency: undefined,
    };
    return this.submissions.run(input, row);
  }

  private async asked(id: string): Promise<AskedQuestion> {
    const record = await this.requests.find(id, null);
    const question = record && (await this.requests.question(id, record.daoId));
    // A client's own conversation is not kept, and its last sentence alone is another question.
    if (question?.record.model !== null || question.prompt === '') throw new AppError('REQUEST_NOT_FOUND');
    return question;
  }

  /** The one provider, asked for the person who asked first. */
  private decision({ record }: AskedQuestion, provider: string): Decision {
    const { providers, requestTimeoutMs, hash } = this.routing();
    const policy = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
    if (!policy) {
      throw new AppError('BODY_INVALID', `The running profile has no provider "${provider}": add it there first.`);
    }
    const { roles, entitlements } = record.decision;
    return {
      mode: 'chat',
      rule: TRIAL_RULE,
      chain: [{ provider, ...policy }],
      roles,
      entitlements,
      deadlineMs: requestTimeoutMs,
      priority: TRIAL_PRIORITY,
      configHash: hash,
    };
  }
}
