import type { DealtPlace, DecisionCursor } from '../adapters/store/recorded-decisions.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { RequestsRepository } from '../adapters/store/requests.repository.js';
import type { RecordedDecision } from '../contracts/whatif.js';

/** Rule of requests that were made to see what another provider says. No profile can have a rule of this name. */
export const TRIAL_RULE = 'whatif:trial';

/** Recorded decisions from a moment on, behind the cursor, in its order; less than `limit` only if no more are left. */
type Pages = (
  since: Date,
  after: DecisionCursor | undefined,
  limit: number,
  daoId?: string,
) => Promise<RecordedDecision[]>;

/** Which decisions a sample is of. */
export interface DealtSample {
  /** None that is later. */
  until?: Date;
  daoId?: string | undefined;
}

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
  newest(limit: number, since = new Date(0)): AsyncGenerator<RecordedDecision[]> {
    return this.both(limit, (read, most) => pages(read, most, since));
  }

  /**
   * A sample of the newest ones that nobody can fill alone: each DAO has the same share of it, as far as it has so
   * many, and in that share each code of its refusals. Page by page; at most half of them refusals.
   * @param sample.daoId of this DAO alone; absent: of all
   */
  dealt(limit: number, { until = new Date(), daoId }: DealtSample = {}): AsyncGenerator<RecordedDecision[]> {
    return this.both(limit, (read, most) => dealtPages(read, most, until, daoId));
  }

  private async *both(
    limit: number,
    pagesOf: (read: Pages, limit: number) => AsyncGenerator<RecordedDecision[]>,
  ): AsyncGenerator<RecordedDecision[]> {
    let count = 0;
    for await (const page of pagesOf(this.refused, Math.floor(limit / 2))) {
      count += page.length;
      yield page;
    }
    yield* pagesOf(this.accepted, limit - count);
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

const pages = (read: Pages, limit: number, since: Date): AsyncGenerator<RecordedDecision[]> =>
  walk<DecisionCursor | undefined>(limit, undefined, {
    read: (after, most) => read(since, after, most),
    next: (_after, page) => page.at(-1),
  });

const dealtPages = (
  read: Pages,
  limit: number,
  until: Date,
  daoId: string | undefined,
): AsyncGenerator<RecordedDecision[]> =>
  walk<DealtPlace>(
    limit,
    { before: 0, until },
    {
      read: (place, most) => read(new Date(0), place, most, daoId),
      next: ({ before }, page) => ({ before: before + page.length, until }),
    },
  );

/** How to go through an order of decisions. */
interface Order<Place> {
  read: (place: Place, limit: number) => Promise<RecordedDecision[]>;
  /** The place behind a page that was read at another one. */
  next: (place: Place, page: RecordedDecision[]) => Place;
}

async function* walk<Place>(
  limit: number,
  first: Place,
  { read, next }: Order<Place>,
): AsyncGenerator<RecordedDecision[]> {
  let place = first;
  for (let left = limit; left > 0;) {
    const wanted = Math.min(left, PAGE);
    const page = await read(place, wanted);
    const decisions = page.filter((one) => !isTrial(one));
    if (decisions.length > 0) yield decisions;
    if (page.length < wanted) return;
    left -= decisions.length;
    place = next(place, page);
  }
}

const isTrial = ({ was }: RecordedDecision): boolean => was.allowed && was.decision.rule === TRIAL_RULE;
