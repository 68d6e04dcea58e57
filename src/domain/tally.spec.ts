import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CHOICES, type Choice, type Elector } from '../contracts/proposal.js';
import { outcomeOf, shownTally, tally } from './tally.js';

const RULES = { quorum: 0.5, threshold: 0.5 };

const elector = (member: string, weight = 1, delegate: string | null = null): Elector => ({ member, weight, delegate });
const ballots = (choices: Record<string, Choice>): Map<string, Choice> => new Map(Object.entries(choices));

/**
 * Counts as one would by hand: each voter in turn walks down the chain, with a mark on everybody met. Weights are counted
 * in millionths, in plain numbers.
 */
function byHand(electors: readonly Elector[], cast: ReadonlyMap<string, Choice>): Record<Choice | 'total', number> {
  const sums = { yes: 0, no: 0, abstain: 0, total: 0 };
  for (const one of electors) {
    sums.total += Math.round(one.weight * 1e6);
    const met: string[] = [];
    let at: Elector | undefined = one;
    while (at && !cast.has(at.member) && !met.includes(at.member)) {
      const { member, delegate }: Elector = at;
      met.push(member);
      at = electors.find((other) => other.member === delegate);
    }
    const choice = at && cast.get(at.member);
    if (choice) sums[choice] += Math.round(one.weight * 1e6);
  }
  return sums;
}

describe(tally.name, () => {
  it('should count own ballots, and those of delegates where there is none', () => {
    const electors = [elector('a', 2), elector('b', 1, 'a'), elector('c', 1, 'b'), elector('d')];
    expect(tally(electors, ballots({ a: 'yes', c: 'no' }), RULES)).toEqual({
      ...{ total: 5, participated: 4, voters: 3, ballots: 2, yes: 3, no: 1, abstain: 0 },
      ...{ quorum_met: true, threshold_met: true },
    });
  });

  it('should take the nearest ballot down the chain', () => {
    const electors = [elector('a', 1, 'b'), elector('b', 1, 'c'), elector('c')];
    expect(tally(electors, ballots({ b: 'no', c: 'yes' }), RULES)).toMatchObject({ yes: 1, no: 2 });
  });

  it('should count no ballot of somebody who may not vote', () => {
    const electors = [elector('a', 1, 'ghost'), elector('b')];
    expect(tally(electors, ballots({ ghost: 'yes' }), RULES)).toMatchObject({ ballots: 0, participated: 0 });
  });

  it('should be safe against circles', () => {
    const electors = [elector('a', 1, 'b'), elector('b', 1, 'a'), elector('c', 1, 'c'), elector('d', 1, 'a')];
    expect(tally(electors, new Map(), RULES)).toMatchObject({ participated: 0, total: 4 });
    expect(tally(electors, ballots({ b: 'yes' }), RULES)).toMatchObject({ yes: 3, participated: 3 });
  });

  it.each<[string, Record<string, Choice>, string]>([
    ['nobody takes part', {}, 'expired'],
    ['too few take part', { a: 'yes' }, 'expired'],
    ['just enough take part', { a: 'yes', b: 'yes' }, 'passed'],
    ['as many are for as against', { a: 'yes', b: 'no' }, 'rejected'],
    ['everybody abstains', { a: 'abstain', b: 'abstain' }, 'rejected'],
    ['abstentions make the quorum', { a: 'yes', b: 'abstain' }, 'passed'],
    ['more are against', { a: 'yes', b: 'no', c: 'no' }, 'rejected'],
  ])('should decide when %s', (_name, choices, outcome) => {
    const electors = ['a', 'b', 'c', 'd'].map((member) => elector(member));
    expect(outcomeOf(tally(electors, ballots(choices), RULES))).toBe(outcome);
  });

  it('should compare exactly at the bounds, whatever the sums are in binary', () => {
    const electors = [elector('a', 0.1), elector('b', 0.2), elector('c', 0.7)];
    const { participated, quorum_met } = tally(electors, ballots({ a: 'yes', b: 'yes' }), { ...RULES, quorum: 0.3 });
    expect({ participated, quorum_met }).toEqual({ participated: 0.3, quorum_met: true });
    const third = [elector('a', 0.1), elector('b', 0.2)];
    expect(tally(third, ballots({ a: 'no', b: 'yes' }), { quorum: 0, threshold: 0.666666667 }).threshold_met).toBe(
      false,
    );
    expect(tally(third, ballots({ a: 'no', b: 'yes' }), { quorum: 0, threshold: 0.666666666 }).threshold_met).toBe(
      true,
    );
  });

  it('should expire where nobody took part, even without a quorum', () => {
    expect(outcomeOf(tally([elector('a')], new Map(), { quorum: 0, threshold: 0 }))).toBe('expired');
  });

  it('should agree with a count by hand', () => {
    const members = fc.array(
      fc.record({
        weight: fc.integer({ min: 0, max: 3_000_000 }).map((units) => units / 1e6),
        delegate: fc.option(fc.nat({ max: 14 })),
        choice: fc.option(fc.constantFrom(...CHOICES)),
      }),
      { minLength: 1, maxLength: 14 },
    );
    fc.assert(
      fc.property(members, (drawn) => {
        const electors = drawn.map(({ weight, delegate }, at) =>
          elector(`m${at}`, weight, delegate === null ? null : `m${delegate}`),
        );
        const cast = new Map(
          drawn.flatMap(({ choice }, at): [string, Choice][] => (choice ? [[`m${at}`, choice]] : [])),
        );
        const counted = tally(electors, cast, RULES);
        const { total, ...sums } = byHand(electors, cast);
        for (const choice of CHOICES) expect(Math.round(counted[choice] * 1e6)).toBe(sums[choice]);
        expect(Math.round(counted.total * 1e6)).toBe(total);
        expect(counted.participated).toBeLessThanOrEqual(counted.total);
      }),
      { numRuns: 500 },
    );
  });

  it('should count ten thousand votes, and as long a chain, in no time', () => {
    const many = 10_000;
    const chain = Array.from({ length: many }, (_, at) => elector(`m${at}`, 0.1, at + 1 < many ? `m${at + 1}` : null));
    const began = performance.now();
    const all = tally(chain, new Map(chain.map(({ member }, at) => [member, at % 3 === 0 ? 'no' : 'yes'])), RULES);
    const last = tally(chain, ballots({ [`m${many - 1}`]: 'yes' }), RULES);
    const nobody = tally(chain, new Map(), RULES);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(all).toMatchObject({ total: 1_000, yes: 666.6, no: 333.4, voters: many, ballots: many });
    expect(last).toMatchObject({ yes: 1_000, voters: many, ballots: 1, quorum_met: true });
    expect(nobody).toMatchObject({ participated: 0, voters: 0 });
  });
});

describe(shownTally.name, () => {
  const full = tally([elector('a'), elector('b')], ballots({ a: 'yes' }), RULES);

  it('should tell of sealed ballots how many there are, and no more, until the close', () => {
    expect(shownTally(full, { sealed: true, final: false })).toEqual({
      ...{ total: 2, participated: 1, voters: 1, ballots: 1, quorum_met: true, sealed: true, final: false },
    });
    expect(shownTally(full, { sealed: true, final: true })).toMatchObject({ yes: 1, threshold_met: true });
    expect(shownTally(full, { sealed: false, final: false })).toMatchObject({ yes: 1, threshold_met: true });
  });
});
