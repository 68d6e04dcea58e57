import type { ErrorObject } from '../../contracts/bodies.js';
import type { Attempt, Decision, Origin, RequestStatus, Timings, Usage } from '../../contracts/request.js';
import type { RichText } from '../../contracts/rich-text.js';
import type { Phrases } from './phrase-book.js';
import { bold, lines } from './rich.js';

/** What is on record of a request, as far as it tells how its answer came about. */
export interface AnswerFacts {
  decision: Pick<Decision, 'rule' | 'roles'>;
  status: RequestStatus;
  usage: Usage | null;
  attempts: readonly Attempt[];
  timings: Timings;
  origin: Origin | null;
  error: ErrorObject | null;
}

/** How long something took, as people say it. */
export function duration(ms: number, { locale, reason }: Phrases): string {
  const format = (value: number, digits: number): string =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  return ms >= 90_000 ? reason.minutes(format(ms / 60_000, 0)) : reason.seconds(format(ms / 1_000, 2));
}

/** How an answer came about: by which rule, from whom, how soon. */
export function reasonsFor(facts: AnswerFacts, phrases: Phrases): RichText {
  const { reason } = phrases;
  const { rule, roles } = facts.decision;
  return lines([
    bold(reason.answered),
    endingWords(facts, phrases),
    reason.rule(rule),
    reason.roles(roles.join(', ')),
    ...askedLines(facts, phrases),
    ...timeLines(facts, phrases),
    originWords(facts.origin, phrases),
    ...costLines(facts, phrases),
  ]);
}

/** What an answer cost. */
export function costOf(facts: AnswerFacts, phrases: Phrases): RichText {
  return lines([
    endingWords(facts, phrases),
    ...costLines(facts, phrases),
    ...askedLines(facts, phrases),
    ...timeLines(facts, phrases),
    originWords(facts.origin, phrases),
  ]);
}

function endingWords({ status, error }: AnswerFacts, { reason, failed }: Phrases): string | undefined {
  if (status === 'failed') {
    const { code = 'INTERNAL', message = '' } = error ?? {};
    return reason.notAnswered(failed(code, message));
  }
  if (status === 'cancelled') return reason.cancelled;
  return status === 'completed' ? undefined : reason.atWork;
}

function askedLines({ attempts }: AnswerFacts, phrases: Phrases): string[] {
  const { reason } = phrases;
  if (attempts.length === 0) return [reason.askedNobody];
  return [reason.asked, ...attempts.map((attempt) => `• ${attemptWords(attempt, phrases)}`)];
}

function attemptWords({ provider, status, ms, error = '—' }: Attempt, phrases: Phrases): string {
  const { reason } = phrases;
  if (status === 'skipped') return reason.skipped(provider, error);
  const time = duration(ms, phrases);
  return status === 'ok' ? reason.ok(provider, time) : reason.failed(provider, time, error);
}

function timeLines({ timings }: AnswerFacts, phrases: Phrases): string[] {
  const { queue, total } = timings;
  return [
    ...(queue === undefined ? [] : [phrases.reason.waited(duration(queue, phrases))]),
    ...(total === undefined ? [] : [phrases.reason.took(duration(total, phrases))]),
  ];
}

function costLines({ usage }: AnswerFacts, phrases: Phrases): string[] {
  const { reason } = phrases;
  if (!usage || usage.total_tokens === 0) return [reason.noTokens];
  const { total_tokens: total, prompt_tokens: prompt, completion_tokens: written, estimated = false } = usage;
  const tokens = reason.tokens(total, prompt, written);
  return [
    estimated ? `${tokens}, ${reason.estimated}` : tokens,
    usage.cost_usd === undefined ? reason.noPrice : reason.cost(dollars(usage.cost_usd, phrases)),
  ];
}

const dollars = (usd: number, { locale }: Phrases): string =>
  new Intl.NumberFormat(locale, {
    ...{ style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol' },
    ...{ minimumFractionDigits: 0, maximumSignificantDigits: 3 },
  }).format(usd);

function originWords(origin: Origin | null, phrases: Phrases): string | undefined {
  const { reason } = phrases;
  switch (origin?.step) {
    case 'provider':
      return reason.fromModel;
    case 'cache':
      return reason.fromCache(duration(origin.age_ms ?? 0, phrases));
    case 'database':
      return reason.fromDatabase;
    case 'tool':
      return reason.fromTool;
    case undefined:
      return undefined;
  }
}
