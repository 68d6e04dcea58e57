import { RE2JS } from 're2js';
import type { ProviderFiguresRepository } from '../adapters/store/provider-figures.repository.js';
import type { UsageRepository } from '../adapters/store/usage.repository.js';
import type { CallerKey } from '../contracts/access.js';
import { LARGEST_PATTERN, MOST_INSTRUCTIONS, type Condition, type RoutingTable } from '../contracts/routing.js';
import type { RecordedDecision, WhatIfReport } from '../contracts/whatif.js';
import { redecide, WhatIf } from '../domain/whatif.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from './accepted.js';
import type { AccessService } from './access.service.js';
import { compareRecorded } from './recorded-comparison.js';
import type { RecordedDecisions } from './recorded-decisions.js';

/** Usage is asked for by days: these hold all of them. */
const [FIRST_DAY, LAST_DAY] = ['2000-01-01', '9999-12-31'];

/** Another table, and which recorded requests are decided by it. */
export interface WhatIfQuestion {
  table: RoutingTable;
  since: Date | undefined;
  /** Most requests. */
  limit: number;
  /** For how many that would take another way it is told who would answer them. */
  trials: number;
}

/** A recorded request that could be asked again of the provider that the other table names first. */
export interface TrialOffer {
  request_id: string;
  dao_id: string;
  provider: string;
  /** Whether the running profile has this provider, so that it can be asked at all. */
  runnable: boolean;
  /** Whether the provider has never answered a request of this DAO: then it has not seen the DAO's words so far. */
  is_new: boolean;
}

/** Asks a recorded request again, of one provider, on the caller's account. */
export interface TrialRunner {
  /**
   * @throws AppError `REQUEST_NOT_FOUND` where it, or its prompt, is not there any more; `BODY_INVALID` for a provider
   * that is not one of the running profile
   */
  trial(
    key: CallerKey,
    recordedRequestId: string,
    provider: string,
    submission: { requestId: string; receivedAt: Date },
  ): Promise<Accepted>;
}

export interface WhatIfDeps {
  access: AccessService;
  recorded: RecordedDecisions;
  figures: ProviderFiguresRepository;
  usage: UsageRepository;
  trials: TrialRunner;
  /** Names of the providers of the running profile. */
  providers: () => readonly string[];
}

/** What another profile would change, found out over recorded requests. */
export class WhatIfService {
  constructor(private readonly deps: WhatIfDeps) {}

  /**
   * Decides recorded requests by another table and compares. The report holds ids, counts and names, and no text.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `platform.admin`, `BODY_INVALID`, `STORE_UNAVAILABLE`
   */
  async run(key: CallerKey, question: WhatIfQuestion): Promise<WhatIfReport & { trials: TrialOffer[] }> {
    const { access, figures, recorded } = this.deps;
    await access.requirePlatform(key);
    const { table, since, limit } = question;
    checkPatterns(table);
    const whatIf = new WhatIf({ table }, await figures.figures(since ?? new Date(0)));
    const report = await compareRecorded(recorded.newest(limit, since), whatIf);
    return { ...report, trials: await this.offers(question, report) };
  }

  /**
   * Asks a recorded request again.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `platform.admin`, and those of `TrialRunner`
   */
  async trial(
    key: CallerKey,
    recordedRequestId: string,
    provider: string,
    submission: { requestId: string; receivedAt: Date },
  ): Promise<Accepted> {
    await this.deps.access.requirePlatform(key);
    return this.deps.trials.trial(key, recordedRequestId, provider, submission);
  }

  /** Examples of the groups in turn, so that each kind of change is tried before one of them is tried twice. */
  private async offers({ table, since, limit, trials }: WhatIfQuestion, report: WhatIfReport): Promise<TrialOffer[]> {
    if (trials === 0) return [];
    const ids = inTurn(report.groups.map(({ examples }) => examples));
    const found = await this.deps.recorded.find(new Set(ids), limit, since);
    const byId = new Map(found.map((one) => [one.id, one]));
    const offers: TrialOffer[] = [];
    for (const id of ids) {
      const recorded = byId.get(id);
      const offer = recorded && (await this.offer(table, recorded));
      if (offer) offers.push(offer);
      if (offers.length === trials) break;
    }
    return offers;
  }

  private async offer(table: RoutingTable, { id, daoId, inputs }: RecordedDecision): Promise<TrialOffer | undefined> {
    const outcome = redecide(table, inputs);
    const provider = outcome?.allowed ? outcome.decision.chain[0]?.provider : undefined;
    if (provider === undefined || inputs.promptHead === undefined) return undefined;
    const runnable = this.deps.providers().includes(provider);
    const is_new = !(await this.hasAnswered(daoId, provider));
    return { request_id: id, dao_id: daoId, provider, runnable, is_new };
  }

  private async hasAnswered(daoId: string, provider: string): Promise<boolean> {
    const used = await this.deps.usage.report({ daoId, from: FIRST_DAY, to: LAST_DAY, by: 'provider' });
    return used.some(({ name }) => name === provider);
  }
}

/** The first of each list, then the second of each, and so on. */
function inTurn(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat();
}

function patternsOf(condition: Condition): string[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of.flatMap(patternsOf);
    case 'not':
      return patternsOf(condition.of);
    case 'prompt_matches':
      return [condition.pattern];
    default:
      return [];
  }
}

/** Refuses a table whose patterns cannot be compiled, or take long to search for, before anything is decided. */
function checkPatterns({ rules, defaultRule, answers }: RoutingTable): void {
  const conditions = [...rules, ...(defaultRule ? [defaultRule] : []), ...answers].map(({ condition }) => condition);
  let all = 0;
  for (const pattern of conditions.flatMap(patternsOf)) {
    const size = sizeOf(pattern);
    if (size > LARGEST_PATTERN) {
      const bound = `${size} instructions, at most ${LARGEST_PATTERN}`;
      throw new AppError('BODY_INVALID', `The table has a pattern that is too large: ${bound}.`);
    }
    all += size;
    if (all > MOST_INSTRUCTIONS + LARGEST_PATTERN) {
      throw new AppError('BODY_INVALID', 'The patterns of the table are too large together.');
    }
  }
}

/** Instructions of a compiled pattern. */
function sizeOf(pattern: string): number {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not valid';
    throw new AppError('BODY_INVALID', `The table has a pattern that is no RE2 expression: ${why}.`);
  }
}
