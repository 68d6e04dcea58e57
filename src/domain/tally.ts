import type { Choice, Elector, ProposalRules, ShownTally, Stage, Tally } from '../contracts/proposal.js';
import { representatives } from './delegation.js';

/** Weights have up to six decimals and shares up to nine: counted as whole numbers, sums and comparisons are exact. */
const WEIGHT_UNITS = 1e6;
const SHARE_UNITS = 1e9;

const unitsOf = (weight: number): bigint => BigInt(Math.round(weight * WEIGHT_UNITS));
const weightOf = (units: bigint): number => Number(units) / WEIGHT_UNITS;
const shareOf = (share: number): bigint => BigInt(Math.round(share * SHARE_UNITS));

type Sums = Record<Choice, bigint>;

/**
 * Counts ballots: a pure function of who may vote, what was cast and how it is decided.
 * @param electors with the delegations as of the opening
 * @param ballots by voter; those of others than the electors count for nothing
 */
export function tally(
  electors: readonly Elector[],
  ballots: ReadonlyMap<string, Choice>,
  rules: Pick<ProposalRules, 'quorum' | 'threshold'>,
): Tally {
  const delegates = new Map(electors.map(({ member, delegate }) => [member, delegate]));
  const has = (member: string): boolean => delegates.has(member) && ballots.has(member);
  const represented = representatives(delegates, has);
  const sums: Sums = { yes: 0n, no: 0n, abstain: 0n };
  let [total, voters] = [0n, 0];
  for (const { member, weight } of electors) {
    total += unitsOf(weight);
    const choice = ballots.get(represented.get(member) ?? '');
    if (choice === undefined) continue;
    sums[choice] += unitsOf(weight);
    voters += 1;
  }
  const cast = electors.filter(({ member }) => has(member)).length;
  return { ...verdict(sums, total, rules), voters, ballots: cast };
}

function verdict(
  { yes, no, abstain }: Sums,
  total: bigint,
  rules: Pick<ProposalRules, 'quorum' | 'threshold'>,
): Omit<Tally, 'voters' | 'ballots'> {
  const participated = yes + no + abstain;
  const unit = shareOf(1);
  return {
    total: weightOf(total),
    participated: weightOf(participated),
    yes: weightOf(yes),
    no: weightOf(no),
    abstain: weightOf(abstain),
    quorum_met: participated > 0n && participated * unit >= shareOf(rules.quorum) * total,
    threshold_met: yes * unit > shareOf(rules.threshold) * (yes + no),
  };
}

/** What becomes of a proposal when it is closed with these sums. */
export function outcomeOf({ quorum_met, threshold_met }: Tally): Extract<Stage, 'passed' | 'rejected' | 'expired'> {
  if (!quorum_met) return 'expired';
  return threshold_met ? 'passed' : 'rejected';
}

/** A tally without what nobody may know yet: while sealed ballots are cast, how many took part and no more. */
export function shownTally(full: Tally, { sealed, final }: { sealed: boolean; final: boolean }): ShownTally {
  if (!sealed || final) return { ...full, sealed, final };
  const { total, participated, voters, ballots, quorum_met } = full;
  return { total, participated, voters, ballots, quorum_met, sealed, final };
}
