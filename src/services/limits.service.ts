import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { WINDOW_SECONDS, type RequestCounter, type Taken } from '../adapters/limits/request-counter.js';
import type { DaoLimits } from '../contracts/dao.js';
import { BOTS_KEY_ID } from '../contracts/ids.js';
import type { MonthTokens, UsageRepository } from '../adapters/store/usage.repository.js';
import {
  monthAt,
  quotasOf,
  rateHeaders,
  type LimitOwner,
  type LimitReading,
  type LimitRules,
  type Quotas,
  type LimitState,
} from '../domain/limits.js';
import { AppError } from '../errors/app-error.js';

/** Tokens used so far are read again when they are older than this, in milliseconds. */
const TOKENS_MS = 3_000;
const MOST_CACHED = 10_000;

const OWNERS: readonly LimitOwner[] = ['key', 'dao'];
const SUBJECT = { key: 'This key', dao: 'This DAO' };

type Ids = Record<LimitOwner, string>;

/** Which requests are let in: rates of a minute and token budgets of a month, per key and per DAO. */
export class LimitsService {
  private readonly tokens: LRUCache<string, MonthTokens, Ids>;

  /** @param rules what the profile allows at the moment; asked for with each request, so that a reload takes effect */
  constructor(
    private readonly counter: RequestCounter,
    private readonly usage: UsageRepository,
    private readonly rules: () => LimitRules,
    private readonly log: Logger,
  ) {
    this.tokens = new LRUCache({
      max: MOST_CACHED,
      ttl: TOKENS_MS,
      // The clock that everything else here goes by.
      perf: Date,
      fetchMethod: (_name, known, { context }) => this.fetchTokens(context, known),
    });
  }

  /**
   * Counts a request in, or refuses it; a request that is refused is in no count.
   * @param given what the platform has given to the DAO
   * @returns what is left, for the headers of the answer
   * @throws AppError `RATE_LIMITED`, `BUDGET_EXHAUSTED` with the headers of the refusal
   */
  async admit(keyId: string, daoId: string, given?: DaoLimits): Promise<LimitState> {
    const quotas = this.quotas(keyId, daoId, given);
    const ids = { key: keyId, dao: daoId };
    // Budgets first: looking at them changes nothing.
    const budgets = await this.budgets(quotas.tokens, ids);
    const broke = budgets.find(({ remaining }) => remaining === 0);
    if (broke) throw refusal('BUDGET_EXHAUSTED', broke, budgets);
    return this.rates(quotas.requests, ids, budgets);
  }

  /** Why a run may buy nothing more this month; undefined: it may. */
  async exhausted(keyId: string, daoId: string, given?: DaoLimits): Promise<string | undefined> {
    const { tokens } = this.quotas(keyId, daoId, given);
    const readings = await this.budgets(tokens, { key: keyId, dao: daoId });
    const broke = readings.find(({ remaining }) => remaining === 0);
    return broke && `${SUBJECT[broke.limit]} has used up the ${broke.quota} tokens of this month.`;
  }

  /** A request of somebody who may not ask at all is none of the DAO's: strangers cannot use up its minute. */
  async giveBack(daoId: string, given?: DaoLimits): Promise<void> {
    if (quotasOf(this.rules(), daoId, given).requests.dao !== undefined) await this.counter.giveBack(`dao:${daoId}`);
  }

  /** With the key of the bots everybody acts who writes to one: what it could use up, one person would for all. */
  private quotas(keyId: string, daoId: string, given: DaoLimits | undefined): ReturnType<typeof quotasOf> {
    const { requests, tokens } = quotasOf(this.rules(), daoId, given);
    if (keyId !== BOTS_KEY_ID) return { requests, tokens };
    return { requests: { ...requests, key: undefined }, tokens: { ...tokens, key: undefined } };
  }

  private async budgets(quotas: Quotas, ids: Ids): Promise<LimitReading[]> {
    const limited = OWNERS.flatMap((limit) => withQuota(limit, quotas[limit]));
    const used = limited.length === 0 ? undefined : await this.tokens.fetch(cacheName(ids), { context: ids });
    if (!used) return [];
    const { seconds, left } = monthAt(Date.now());
    return limited.map(({ limit, quota }) => ({
      limit,
      unit: 'tokens',
      quota,
      windowSeconds: seconds,
      remaining: Math.max(quota - used[limit], 0),
      resetSeconds: left,
    }));
  }

  private async rates(quotas: Quotas, ids: Ids, budgets: LimitState): Promise<LimitState> {
    const taken: Taken[] = [];
    const readings: LimitReading[] = [];
    for (const { limit, quota } of OWNERS.flatMap((owner) => withQuota(owner, quotas[owner]))) {
      const one = await this.counter.take(`${limit}:${ids[limit]}`, quota);
      readings.push(rateReading(limit, quota, one));
      if (!one.allowed) {
        await Promise.all(taken.map((earlier) => earlier.undo()));
        const undone = readings.map((reading, place) =>
          place < taken.length ? { ...reading, remaining: reading.remaining + 1 } : reading,
        );
        throw refusal('RATE_LIMITED', rateReading(limit, quota, one), [...undone, ...budgets]);
      }
      taken.push(one);
    }
    return [...readings, ...budgets];
  }

  /** The last known count, or undefined, while the database is away: that is no reason to refuse anybody. */
  private async fetchTokens(ids: Ids, known: MonthTokens | undefined): Promise<MonthTokens | undefined> {
    try {
      return await this.usage.monthTokens(ids.key, ids.dao);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      this.log.warn({ dao_id: ids.dao, err: error }, 'the tokens used this month could not be read');
      return known;
    }
  }
}

/** Ids of keys are ours and have no space in them. */
const cacheName = ({ key, dao }: Ids): string => `${key} ${dao}`;

const withQuota = (limit: LimitOwner, quota: number | undefined): { limit: LimitOwner; quota: number }[] =>
  quota === undefined ? [] : [{ limit, quota }];

const rateReading = (limit: LimitOwner, quota: number, { remaining, resetMs }: Taken): LimitReading => ({
  limit,
  unit: 'requests',
  quota,
  windowSeconds: WINDOW_SECONDS,
  remaining,
  resetSeconds: Math.max(1, Math.ceil(resetMs / 1_000)),
});

function refusal(code: 'RATE_LIMITED' | 'BUDGET_EXHAUSTED', reading: LimitReading, state: LimitState): AppError {
  const { limit, quota, resetSeconds } = reading;
  const rate = code === 'RATE_LIMITED';
  const message = rate
    ? `${SUBJECT[limit]} may send ${quota} ${quota === 1 ? 'request' : 'requests'} a minute; come back in ${resetSeconds} s.`
    : `${SUBJECT[limit]} has used up the ${quota} tokens of this month; the next one begins in ${resetSeconds} s.`;
  const detail = { limit, [rate ? 'requests_per_minute' : 'tokens_per_month']: quota };
  return new AppError(code, message, detail, { retryAfterSeconds: resetSeconds, headers: rateHeaders(state) });
}
