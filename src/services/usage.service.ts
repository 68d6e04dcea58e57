import type { CallerKey } from '../contracts/access.js';
import type { UsageFilter, UsageGroup, UsageRepository, UsageRow } from '../adapters/store/usage.repository.js';
import { sumUsd } from '../domain/cost.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Named } from './access.service.js';

const DAY_MS = 86_400_000;
/** Days that are told when the caller names no beginning, and the most that anybody may ask for. */
const DEFAULT_DAYS = 30;
const MOST_DAYS = 3_660;

/** Requests that were answered, what they used, and what that cost by the profile's prices. */
export interface UsageFigures {
  requests: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Null where tokens were used and none of them had a price. */
  cost_usd: number | null;
}

/** `GET /usage`, without `ok`. Each row has what it stands for under the name that `by` has. */
export interface UsageReport {
  /** Null: all DAOs. */
  dao_id: string | null;
  from: string;
  to: string;
  by: UsageGroup;
  totals: UsageFigures;
  rows: (UsageFigures & Partial<Record<UsageGroup, string>>)[];
}

/** Which usage somebody asks for; days are ISO dates at UTC. */
export interface UsageQuestion extends Named {
  from?: string | undefined;
  to?: string | undefined;
  by?: UsageGroup | undefined;
}

/** What was used, for those who run a DAO or the platform. */
export class UsageService {
  constructor(
    private readonly usage: UsageRepository,
    private readonly access: AccessService,
  ) {}

  /**
   * Usage of a DAO (`ops.read` there), or of all of them for a key of all DAOs that names none (`platform.admin`).
   * @throws AppError `QUERY_INVALID` for an impossible range, and those of access
   */
  async report(key: CallerKey, question: UsageQuestion): Promise<UsageReport> {
    const range = rangeOf(question, Date.now());
    const daoId = await this.scope(key, question);
    const filter: UsageFilter = { daoId, ...range, by: question.by ?? (daoId === undefined ? 'dao' : 'day') };
    const rows = await this.usage.report(filter);
    return {
      dao_id: daoId ?? null,
      ...range,
      by: filter.by,
      totals: totalsOf(rows),
      rows: rows.map((row) => ({ [filter.by]: row.name, ...figuresOf(row) })),
    };
  }

  private async scope(key: CallerKey, { daoId, userId }: Named): Promise<string | undefined> {
    if (daoId === undefined && key.daoId === null) {
      await this.access.requirePlatform(key, userId);
      return undefined;
    }
    return (await this.access.require(key, { daoId, userId }, 'ops.read')).daoId;
  }
}

const isoDay = (time: number): string => new Date(time).toISOString().slice(0, 10);

function rangeOf(question: UsageQuestion, now: number): { from: string; to: string } {
  const to = question.to ?? isoDay(now);
  const from = question.from ?? isoDay(Date.parse(to) - (DEFAULT_DAYS - 1) * DAY_MS);
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1) throw new AppError('QUERY_INVALID', `from (${from}) lies after to (${to}).`);
  if (days > MOST_DAYS) throw new AppError('QUERY_INVALID', `Ask for at most ${MOST_DAYS} days; that is ${days}.`);
  return { from, to };
}

const figuresOf = ({ requests, promptTokens, completionTokens, costUsd }: Omit<UsageRow, 'name'>): UsageFigures => ({
  requests,
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  // What has no price is recorded as 0, like what costs nothing; where no token was used it is really 0.
  cost_usd: costUsd === 0 && promptTokens + completionTokens > 0 ? null : costUsd,
});

function totalsOf(rows: readonly UsageRow[]): UsageFigures {
  const sum = (name: 'requests' | 'promptTokens' | 'completionTokens'): number =>
    rows.reduce((total, row) => total + row[name], 0);
  return figuresOf({
    requests: sum('requests'),
    promptTokens: sum('promptTokens'),
    completionTokens: sum('completionTokens'),
    costUsd: sumUsd(rows.map((row) => row.costUsd)),
  });
}
