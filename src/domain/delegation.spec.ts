import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closesCycle, representatives } from './delegation.js';

const PEOPLE = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
type One = (typeof PEOPLE)[number];

/** The reference: a list of pairs, and questions answered by trying every step, at most as many as there are people. */
class Pairs {
  pairs: [One, One][] = [];

  next(from: One): One | undefined {
    return this.pairs.find(([one]) => one === from)?.[1];
  }

  reaches(from: One, to: One): boolean {
    let at: One | undefined = from;
    for (let step = 0; step <= PEOPLE.length && at !== undefined; step += 1) {
      if (at === to) return true;
      at = this.next(at);
    }
    return false;
  }

  set(from: One, to: One): void {
    this.clear(from);
    this.pairs.push([from, to]);
  }

  clear(from: One): void {
    this.pairs = this.pairs.filter(([one]) => one !== from);
  }
}

type Command = fc.Command<Pairs, Map<string, string | null>>;

const one = fc.constantFrom(...PEOPLE);

const delegate = fc.tuple(one, one).map(([from, to]): Command => ({
  check: () => true,
  run: (model, real) => {
    const refused = closesCycle(real, from, to);
    expect(refused).toBe(model.reaches(to, from));
    if (refused) return;
    model.set(from, to);
    real.set(from, to);
  },
  toString: () => `${from} delegates to ${to}`,
}));

const take = one.map((from): Command => ({
  check: () => true,
  run: (model, real) => {
    model.clear(from);
    real.set(from, null);
  },
  toString: () => `${from} takes the vote back`,
}));

const count = fc.subarray([...PEOPLE]).map((voted): Command => ({
  check: () => true,
  run: (model, real) => {
    for (const person of PEOPLE) if (!real.has(person)) real.set(person, null);
    const found = representatives(real, (member) => voted.includes(member as One));
    for (const person of PEOPLE) {
      const chain = PEOPLE.filter((other) => model.reaches(person, other) && voted.includes(other));
      // The nearest is the one from which all the others can be reached.
      const nearest = chain.find((near) => chain.every((other) => model.reaches(near, other)));
      expect(found.get(person)).toBe(nearest);
    }
  },
  toString: () => `${voted.join()} vote`,
}));

describe('delegations', () => {
  it('should hold no circle, and give each vote to the nearest who votes, as pairs tried by hand do', () => {
    fc.assert(
      fc.property(fc.commands([delegate, take, count], { maxCommands: 40 }), (commands) => {
        fc.modelRun(() => ({ model: new Pairs(), real: new Map() }), commands);
      }),
      { numRuns: 150 },
    );
  });

  it('should not be made to oneself', () => {
    expect(closesCycle(new Map(), 'a', 'a')).toBe(true);
  });

  it('should be answered for, even about a circle that is there already', () => {
    const circle = new Map([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ]);
    expect(closesCycle(circle, 'd', 'a')).toBe(false);
    expect(representatives(circle, () => false)).toEqual(new Map());
  });
});
