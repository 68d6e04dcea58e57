import type { Admission } from '../contracts/admission.js';
import type { ProviderStates } from '../contracts/providers.js';
import { MODE_PRIORITY, type ProviderStep, type RouteRequestInput, type Unavailable } from '../contracts/request.js';
import type { ModelCall, ModelFacts } from '../contracts/chat.js';
import { isDemanding, lackOf } from '../domain/abilities.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';

const CODES: Readonly<Record<Unavailable['reason'], ErrorCode>> = {
  CoolingDown: 'PROVIDERS_COOLING',
  QueueFull: 'QUEUE_FULL',
  WaitTooLong: 'QUEUE_FULL',
  ShareFull: 'QUEUE_SHARE_FULL',
  Unsupported: 'PARAMETER_UNSUPPORTED',
};

/** How it is said where a parameter stands for something else: that there are vectors, or images, to be had at all. */
const LACKING: Readonly<Record<string, string>> = {
  model: 'makes no embeddings',
  messages: 'reads no images',
};

/** What models can do. */
export interface Abilities {
  /** Undefined: nothing is known of such a provider. */
  facts(provider: string): Promise<ModelFacts | undefined>;
}

/** Which providers of a chain can be asked now, found out before a request is accepted. */
export class AvailabilityService {
  constructor(
    private readonly states: ProviderStates,
    private readonly admission: Admission,
    private readonly abilities: Abilities,
  ) {}

  /**
   * Reserves a place at the first provider of the chain that can answer in time.
   * @param call the client's own conversation, with all that it wants of the answer
   * @returns the providers before it that cannot
   * @throws AppError `QUEUE_FULL`, `QUEUE_SHARE_FULL` or `PROVIDERS_COOLING`, with the earliest moment at which it is
   * worth coming back, if none can and nothing else can answer; `STORE_UNAVAILABLE`
   */
  async plan(input: RouteRequestInput, call?: ModelCall): Promise<Unavailable[]> {
    const { chain, answer, cache } = input.decision;
    const cooling = await this.states.unavailable(chain.map(({ provider }) => provider));
    const skipped: Unavailable[] = [];
    const lacks: string[] = [];
    const otherwise = answer !== undefined || cache !== undefined;
    for (const step of chain) {
      const { provider } = step;
      const lack = call && (await this.lackOf(provider, call));
      if (lack !== undefined) lacks.push(lack);
      const away: Unavailable | undefined =
        lack === undefined
          ? (cooling.find((one) => one.provider === provider) ?? (await this.reserve(input, step, otherwise)))
          : { provider, reason: 'Unsupported', retryAfterMs: 0 };
      if (!away) return skipped;
      skipped.push(away);
    }
    if (skipped.length > 0 && !otherwise) throw refusalOf(skipped, lacks);
    return skipped;
  }

  /** The parameter of a call that a provider cannot heed. It is asked only where a call asks for anything. */
  private async lackOf(provider: string, call: ModelCall): Promise<string | undefined> {
    const facts = isDemanding(call) ? await this.abilities.facts(provider) : undefined;
    return facts && lackOf(facts, call);
  }

  /** Takes the request out of the queues that it stands in. */
  async withdraw({ requestId, decision }: Pick<RouteRequestInput, 'requestId' | 'decision'>): Promise<void> {
    const pools = decision.chain.flatMap(({ pool }) => (pool ? [pool.name] : []));
    if (pools.length > 0) await this.admission.withdraw(requestId, [...new Set(pools)]);
  }

  /** @param otherwise whether the request can be answered without this place: then it is not needed to go on */
  private async reserve(
    input: RouteRequestInput,
    step: ProviderStep,
    otherwise: boolean,
  ): Promise<Unavailable | undefined> {
    const { pool, provider } = step;
    if (!pool) return undefined;
    const { requestId, daoId, actor, deadlineAt, decision } = input;
    const { weight = 1, mode } = decision;
    const priority = decision.priority ?? MODE_PRIORITY[mode];
    const reserving = this.admission.reserve({
      requestId,
      daoId,
      actor,
      deadlineAt,
      provider,
      pool,
      weight,
      priority,
    });
    const refused = await reserving.catch((error: unknown) => {
      if (otherwise && error instanceof AppError && error.code === 'STORE_UNAVAILABLE') return undefined;
      throw error;
    });
    return refused && { provider, ...refused };
  }
}

/**
 * The error for a request that no provider can take now: that of the one that can soonest. Who cannot do it at all will
 * not do it later either.
 * @param lacks what each of those lacks
 */
function refusalOf(skipped: readonly Unavailable[], lacks: readonly string[]): AppError {
  const [first, ...others] = skipped.filter(({ reason }) => reason !== 'Unsupported');
  if (!first) return unsupported(skipped, lacks[0]);
  const soonest = others.reduce((best, one) => (one.retryAfterMs < best.retryAfterMs ? one : best), first);
  const retryAfterSeconds = Math.max(1, Math.ceil(soonest.retryAfterMs / 1_000));
  const attempts = skipped.map(({ provider, reason }) => ({ provider, status: 'skipped', ms: 0, error: reason }));
  return new AppError(CODES[soonest.reason], undefined, { attempts }, { retryAfterSeconds });
}

function unsupported([first, ...others]: readonly Unavailable[], param: string | undefined): AppError {
  const what = LACKING[param ?? ''] ?? `does not support the parameter "${param}"`;
  const nobody = others.length > 0 ? ', nor can any other model that could answer' : '';
  const message = `${first?.provider} ${what}${nobody}. GET /v1/models tells the capabilities of each.`;
  return new AppError('PARAMETER_UNSUPPORTED', message, { param });
}
