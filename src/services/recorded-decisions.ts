import type { DecisionCursor } from '../adapters/store/recorded-decisions.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { RequestsRepository } from '../adapters/store/requests.repository.js';
import type { RecordedDecision } from '../contracts/whatif.js';

/** Rule of requests that were made to see what another provider says. No profile can have a rule of this name. */
export const TRIAL_RULE = 'whatif:trial';

/** Recorded decisions from a moment on, newest first, behind the cursor; less than `limit` only if no more are left. */
type Pages = (since: Date, after: DecisionCursor | undefined, limit: number) => Promise<RecordedDecision[]>;

/** Prompts are in them, and the embedded database holds the event loop while it reads a page. */
const PAGE = 100;

/** What was decided about requests so far, accepted or refused. */
export class RecordedDecisions {
  constructor(
    private readonly requests: RequestsRepository,
    private readonly refusals: RefusalsRepository,
  ) {}

  private readonly accepted: Pages = (...page) => this.requests.decided(...page);
  private readonly refused: Pages = (...page) => this.refusals.page(...page);

  /**
   * The newest ones, page by page: at most half of them refusals, so that a flood of those does not push the others
   * out, and the other way round. Trials are no decisions of any table.
   */
  async *newest(limit: number, since = new Date(0)): AsyncGenerator<RecordedDecision[]> {
    let count = 0;
    for await (const page of pages(this.refused, Math.floor(limit / 2), since)) {
      count += page.length;
      yield page;
    }
    yield* pages(this.accepted, limit - count, since);
  }

  /** Those of these requests that were accepted, as far as they are found among the newest. */
  async find(ids: ReadonlySet<string>, limit: number, since = new Date(0)): Promise<RecordedDecision[]> {
    const found: RecordedDecision[] = [];
    for await (const page of pages(this.accepted, limit, since)) {
      found.push(...page.filter(({ id }) => ids.has(id)));
      if (found.length === ids.size) break;
    }
    return found;
  }
}

async function* pages(read: Pages, limit: number, since: Date): AsyncGenerator<RecordedDecision[]> {
  let after: DecisionCursor | undefined;
  for (let left = limit; left > 0;) {
    const wanted = Math.min(left, PAGE);
    const page = await read(since, after, wanted);
    const decisions = page.filter((one) => !isTrial(one));
    if (decisions.length > 0) yield decisions;
    if (page.length < wanted) return;
    left -= decisions.length;
    after = page.at(-1);
  }
}

const isTrial = ({ was }: RecordedDecision): boolean => was.allowed && was.decision.rule === TRIAL_RULE;
