import type { AccessFacts } from '../contracts/access.js';
import type { Decision, DecisionInputs } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { Expected, ProviderFigures, RecordedDecision, WhatIfGroup, WhatIfReport } from '../contracts/whatif.js';
import { decide, type DecideResult } from './decide.js';

/** A decision as far as it can be compared: what was recorded, or what `decide` says. */
export type Outcome = RecordedDecision['was'];

/** Newest requests that a group names. */
const MOST_EXAMPLES = 5;
/** Ways that an erased prompt is tried to have been; a request that needs more is left undecided. */
const MOST_READINGS = 256;
/** Where more than this share could not be decided again, what could be says too little. */
const MAX_UNDECIDABLE_SHARE = 0.5;

/** Roles as they would be: their entitlements by name, in one DAO or (null) in all. */
export interface RoleChange {
  daoId: string | null;
  roles: Readonly<Record<string, readonly string[]>>;
}

/** What is compared with what. */
export interface Comparison {
  /** The other table. */
  table: RoutingTable;
  /** The table that stands for "now"; absent: what was recorded does. */
  against?: RoutingTable;
  /** Roles that would change along with the table. */
  roleChange?: RoleChange;
  /** Roles as they are now, for what `against` says: what was recorded may have been decided under earlier ones. */
  rolesNow?: RoleChange;
}

/** The inputs of a request whose actor had these roles then, with the entitlements that the roles would have. */
export function withRoles(inputs: DecisionInputs, change: RoleChange | undefined): DecisionInputs {
  if (!change) return inputs;
  const { daoId, roles } = change;
  const { access } = inputs;
  if (daoId !== null && daoId !== access.dao.id) return inputs;
  const changed: AccessFacts['roles'] = access.roles.map(({ name, entitlements }) => {
    const proposed = Object.hasOwn(roles, name) ? roles[name] : undefined;
    return { name, entitlements: [...(proposed ?? entitlements)] };
  });
  return { ...inputs, access: { ...access, roles: changed } };
}

const outcomeOf = (result: DecideResult): Outcome => (result.allowed ? result : { allowed: false, code: result.code });

/**
 * Decides a recorded request again. Where its prompt was erased every reading is tried that rules could tell apart.
 * @returns undefined if they lead to different decisions: what the prompt said is not guessed
 */
export function redecide(table: RoutingTable, inputs: DecisionInputs): Outcome | undefined {
  if (inputs.promptHead !== undefined) return outcomeOf(decide(table, inputs));
  let result: Outcome | undefined;
  let readings = 0;
  // Patterns in the order in which they were asked for, with the answer that is tried.
  for (let tried: Map<string, boolean> | undefined = new Map(); tried; tried = nextReading(tried)) {
    const answers: Map<string, boolean> = tried;
    const matches = (pattern: string): boolean => {
      if (!answers.has(pattern)) answers.set(pattern, false);
      return answers.get(pattern) === true;
    };
    const outcome = outcomeOf(decide(table, inputs, matches));
    if ((result && differences(result, outcome).length > 0) || (readings += 1) > MOST_READINGS) return undefined;
    result ??= outcome;
  }
  return result;
}

/** The next way to answer the patterns that were asked for: the last "no" becomes "yes", what came after is open again. */
function nextReading(tried: Map<string, boolean>): Map<string, boolean> | undefined {
  const all = [...tried];
  const last = all.findLastIndex(([, matched]) => !matched);
  const turned = all[last];
  return turned && new Map([...all.slice(0, last), [turned[0], true]]);
}

/** Whether two values of plain data say the same. What is undefined counts as absent, as it does in the record. */
function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false;
  const [a, b] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  if (Array.isArray(one) !== Array.isArray(other) || (Array.isArray(one) && one.length !== (b.length as number))) {
    return false;
  }
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
}

/** Parts of a decision that make another way of a request, by the name under which a report tells them. */
const ASPECTS: Readonly<Record<string, (decision: Decision) => unknown>> = {
  providers: ({ chain }) => chain.map(({ provider }) => provider),
  timeouts: ({ chain, deadlineMs }) => [deadlineMs, chain.map((step) => [step.timeoutMs, step.queueTimeoutMs])],
  answer: ({ answer }) => answer,
  cache: ({ cache }) => cache,
  rights: ({ roles, entitlements }) => [roles, entitlements],
  limits: ({ chain }) => chain.map(limitsOf),
};

/** Parts of a step that have a name of their own above, and its price, which changes no way. */
const NO_LIMITS = ['provider', 'timeoutMs', 'queueTimeoutMs', 'price'];

const limitsOf = (step: Decision['chain'][number]): object =>
  Object.fromEntries(Object.entries(step).filter(([key]) => !NO_LIMITS.includes(key)));

/**
 * In what two decisions differ; nothing if a request would take the same way. The name and the priority of its
 * rule, prices, the weight of its DAO and the hash of the configuration are no part of the way.
 */
export function differences(from: Outcome, to: Outcome): string[] {
  if (!from.allowed || !to.allowed) return wayOf(from) === wayOf(to) ? [] : ['access'];
  const [one, other] = [from.decision, to.decision];
  return Object.entries(ASPECTS).flatMap(([name, part]) => (same(part(one), part(other)) ? [] : [name]));
}

/** A way in words: the chain of providers, the known answer where there is none, or the refusal. */
function wayOf(outcome: Outcome): string {
  if (!outcome.allowed) return `refused ${outcome.code}`;
  const { chain, answer } = outcome.decision;
  return chain.length > 0
    ? chain.map(({ provider }) => provider).join(' → ')
    : `answered from the database (${answer ?? 'nothing'})`;
}

const ruleOf = (outcome: Outcome): string | null => (outcome.allowed ? outcome.decision.rule : null);

interface Group extends Omit<WhatIfGroup, 'examples'> {
  examples: { id: string; at: number }[];
}

/** Compares recorded decisions with those of another table, one by one, so that there may be any number of them. */
export class WhatIf {
  private requests = 0;
  private unchanged = 0;
  private undecidable = 0;
  private newlyAllowed = 0;
  private newlyDenied = 0;
  private readonly groups = new Map<string, Group>();
  private readonly figures: ReadonlyMap<string, ProviderFigures>;

  constructor(
    private readonly comparison: Comparison,
    figures: readonly ProviderFigures[] = [],
  ) {
    this.figures = new Map(figures.map((one) => [one.provider, one]));
  }

  /** Decides one recorded request again and counts what became of it. */
  add(recorded: RecordedDecision): void {
    this.requests += 1;
    const { table, against, roleChange, rolesNow } = this.comparison;
    const from = against ? redecide(against, withRoles(recorded.inputs, rolesNow)) : recorded.was;
    const to = redecide(table, withRoles(recorded.inputs, roleChange));
    if (!from || !to) {
      this.undecidable += 1;
      return;
    }
    const different = differences(from, to);
    if (different.length === 0) this.unchanged += 1;
    else this.count(recorded, from, to, different);
  }

  /** @param tookMs what the caller measured, in milliseconds: there is no clock here */
  report(tookMs: number): WhatIfReport {
    const { requests, unchanged, undecidable } = this;
    return {
      hash: this.comparison.table.hash,
      requests,
      unchanged,
      changed: requests - unchanged - undecidable,
      newly_allowed: this.newlyAllowed,
      newly_denied: this.newlyDenied,
      undecidable,
      groups: [...this.groups.values()]
        .toSorted((a, b) => b.requests - a.requests)
        .map(({ examples, ...group }) => ({ ...group, examples: examples.map(({ id }) => id) })),
      took_ms: tookMs,
    };
  }

  private count({ id, at }: RecordedDecision, from: Outcome, to: Outcome, different: string[]): void {
    if (!from.allowed && to.allowed) this.newlyAllowed += 1;
    if (from.allowed && !to.allowed) this.newlyDenied += 1;
    const group = this.groupOf(from, to, different);
    group.requests += 1;
    group.examples.push({ id, at: at.getTime() });
    group.examples.sort((a, b) => b.at - a.at).splice(MOST_EXAMPLES);
  }

  private groupOf(from: Outcome, to: Outcome, different: string[]): Group {
    const ways = { from: wayOf(from), to: wayOf(to) };
    // Where the providers stay the same it has to be said what does not.
    if (ways.from === ways.to) ways.to += ` (other ${different.join(', ')})`;
    const rule = { from: ruleOf(from), to: ruleOf(to) };
    const key = JSON.stringify([ways, rule]);
    let group = this.groups.get(key);
    if (!group) {
      const expected = { from: this.expected(from), to: this.expected(to) };
      this.groups.set(key, (group = { ...ways, rule, requests: 0, examples: [], expected }));
    }
    return group;
  }

  /** What an answer of the first provider of a way takes and costs, by recorded figures. */
  private expected(outcome: Outcome): Expected | null {
    const first = outcome.allowed ? outcome.decision.chain[0] : undefined;
    const figures = first && this.figures.get(first.provider);
    if (!figures) return null;
    const { p50Ms: p50_ms, promptTokens, completionTokens } = figures;
    if (!first.price) return { p50_ms, cost_usd: null };
    const { prompt, completion } = first.price;
    return { p50_ms, cost_usd: (promptTokens * prompt + completionTokens * completion) / 1_000_000 };
  }
}

/** Compares all at once. */
export function compare(
  comparison: Comparison,
  recorded: Iterable<RecordedDecision>,
  figures: readonly ProviderFigures[] = [],
): WhatIfReport {
  const whatIf = new WhatIf(comparison, figures);
  for (const one of recorded) whatIf.add(one);
  return whatIf.report(0);
}

/** Whether a change may become active without somebody's confirmation. */
export interface GuardVerdict {
  ok: boolean;
  /** Sentences for the operator; empty if it may. */
  reasons: string[];
}

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

/**
 * Judges a report: no denial may become an allowance, and at most a share of the requests may take another way.
 * @param maxChangedShare of the requests that could be decided again, from 0 to 1
 */
export function guardVerdict(report: WhatIfReport, { maxChangedShare }: { maxChangedShare: number }): GuardVerdict {
  const { requests, changed, undecidable, newly_allowed: allowed } = report;
  const decided = requests - undecidable;
  const reasons: string[] = [];
  if (allowed > 0) {
    const were = allowed === 1 ? 'was' : 'were';
    reasons.push(`${allowed} of ${requests} recorded requests ${were} refused and would be allowed`);
  }
  if (decided > 0 && changed / decided > maxChangedShare) {
    const share = `${percent(changed / decided)}, more than ${percent(maxChangedShare)}`;
    reasons.push(`${changed} of ${decided} recorded requests would take another way (${share})`);
  }
  if (requests > 0 && undecidable / requests > MAX_UNDECIDABLE_SHARE) {
    reasons.push(`${undecidable} of ${requests} recorded requests cannot be decided again: their prompts were erased`);
  }
  return { ok: reasons.length === 0, reasons };
}
