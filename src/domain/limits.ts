import type { DaoLimits } from '../contracts/dao.js';

/** Whose limit it is: the key's in all its DAOs, or the DAO's with all its keys. */
export type LimitOwner = 'key' | 'dao';

/** A number per owner; where it is absent, there is no limit. */
export type Quotas = Partial<Record<LimitOwner, number | undefined>>;

/** What the profile allows; where a number is absent, there is no limit. */
export interface LimitRules {
  requestsPerMinute: Quotas;
  /** Prompt and completion together, in a calendar month at UTC. */
  tokensPerMonth: Quotas;
  /** What a DAO is allowed instead of the general numbers. */
  daos: Readonly<Record<string, { requestsPerMinute?: number | undefined; tokensPerMonth?: number | undefined }>>;
}

/** A limit and how much of it is left, after the request that it is told with. */
export interface LimitReading {
  limit: LimitOwner;
  unit: 'requests' | 'tokens';
  quota: number;
  /** Length of the window in which the quota holds, in seconds. */
  windowSeconds: number;
  remaining: number;
  /** Until the window ends, in seconds. */
  resetSeconds: number;
}

/** All limits that hold for a request; empty where the profile names none. */
export type LimitState = readonly LimitReading[];

/**
 * The numbers that hold in a DAO.
 * @param given what the platform has given to this DAO, which goes before all that the profile says
 */
export function quotasOf(
  rules: LimitRules,
  daoId: string,
  given: DaoLimits = {},
): { requests: Quotas; tokens: Quotas } {
  const own = rules.daos[daoId];
  return {
    requests: withDao(rules.requestsPerMinute, given.requests_per_minute ?? own?.requestsPerMinute),
    tokens: withDao(rules.tokensPerMonth, given.tokens_per_month ?? own?.tokensPerMonth),
  };
}

const withDao = (general: Quotas, dao: number | undefined): Quotas =>
  dao === undefined ? general : { ...general, dao };

/** The month at UTC that a time is in: how long it is, and how much of it is left, in seconds. */
export function monthAt(now: number): { seconds: number; left: number } {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const end = Date.UTC(year, month + 1);
  return { seconds: (end - Date.UTC(year, month)) / 1_000, left: Math.ceil((end - now) / 1_000) };
}

/** Structured fields have integers of 15 digits. */
const LARGEST = 999_999_999_999_999;

/** Names of policies; `key` and `dao` alone are those of requests. */
const policyName = ({ limit, unit }: LimitReading): string => `"${unit === 'requests' ? limit : `${limit}-tokens`}"`;
const unitOf = ({ unit }: LimitReading): string => (unit === 'requests' ? '' : `;qu="${unit}"`);

/**
 * What is told of limits with every answer: `RateLimit-Policy` and `RateLimit`, structured fields after the Internet
 * draft `draft-ietf-httpapi-ratelimit-headers-10`. Nothing where there is no limit.
 */
export function rateHeaders(state: LimitState): Record<string, string> {
  if (state.length === 0) return {};
  const policy = state.map(
    (one) => `${policyName(one)};q=${Math.min(one.quota, LARGEST)}${unitOf(one)};w=${one.windowSeconds}`,
  );
  const left = state.map((one) => `${policyName(one)};r=${Math.min(one.remaining, LARGEST)};t=${one.resetSeconds}`);
  return { 'ratelimit-policy': policy.join(', '), ratelimit: left.join(', ') };
}
