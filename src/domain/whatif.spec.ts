import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aPolicy,
  aRule,
  aTable,
  all,
  anAccess,
  anInput,
  any,
  chain,
  is,
  matches,
  not,
} from '../../test/factories/routing.js';
import { aRecord, anyTraffic, BASE } from '../../test/factories/traffic.js';
import type { Decision, DecisionInputs } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { compare, differences, guardVerdict, redecide, WhatIf, withRoles, type Outcome } from './whatif.js';

const decision = (table: RoutingTable, inputs: DecisionInputs = anInput()): Decision => {
  const outcome = redecide(table, inputs);
  if (!outcome?.allowed) throw new Error('refused');
  return outcome.decision;
};

const change = (from: RoutingTable, to: RoutingTable, inputs: DecisionInputs[] = [anInput()]): WhatIfReport =>
  compare(
    { table: to },
    inputs.map((one, index) => aRecord(from, one, index)),
  );

describe('redecide', () => {
  it('decides again what was recorded', () => {
    expect(decision(aTable()).chain.map(({ provider }) => provider)).toEqual(['first', 'second']);
    expect(redecide(aTable([]), anInput())).toEqual({ allowed: false, code: 'NO_ROUTE' });
  });

  describe('without the prompt', () => {
    const erased = (changes: Partial<DecisionInputs> = {}): DecisionInputs =>
      anInput({ promptHead: undefined, ...changes });
    const votes = { name: 'votes', condition: matches('vote'), use: chain('third') };

    it('decides what no pattern can change', () => {
      expect(redecide(aTable(), erased())).toMatchObject({ allowed: true });
      const unreached = aTable([{ condition: is('mode', 'chat') }, votes]);
      expect(redecide(unreached, erased())).toMatchObject({ allowed: true, decision: { rule: 'chat' } });
      expect(
        redecide(aTable([{ ...votes, condition: all(is('role', 'admin'), matches('vote')) }, {}]), erased()),
      ).toMatchObject({ allowed: true, decision: { rule: 'chat' } });
    });

    it('does not guess what a pattern could change', () => {
      expect(redecide(aTable([votes, {}]), erased())).toBeUndefined();
      expect(
        redecide(aTable([{}], { answers: [{ question: 'help', condition: matches('help') }] }), erased()),
      ).toBeUndefined();
    });

    it('decides where every reading leads to the same way', () => {
      expect(redecide(aTable([{ ...votes, use: chain('first') }, {}]), erased())).toMatchObject({ allowed: true });
      const either = any(matches('vote'), not(matches('vote')));
      expect(redecide(aTable([{ condition: either }]), erased())).toMatchObject({ decision: { rule: 'chat' } });
      const neither = all(matches('vote'), not(matches('vote')));
      expect(redecide(aTable([{ ...votes, condition: neither }, {}]), erased())).toMatchObject({
        decision: { rule: 'chat' },
      });
      // Nobody may be let in by what nobody knows, and a guest may ask for help only.
      const guests = erased({ access: anAccess(['guest']) });
      expect(redecide(aTable([votes, {}]), guests)).toEqual({ allowed: false, code: 'RBAC_PERMISSION_DENIED' });
    });

    it('gives up where there are too many readings, instead of taking for ever', () => {
      const many = Array.from({ length: 40 }, (_, index) => matches(`word ${index}`));
      expect(redecide(aTable([{ condition: all(any(...many), not(any(...many))) }, {}]), erased())).toMatchObject({
        allowed: true,
      });
      const pairs = many.map((one, index) => any(one, matches(`other ${index}`)));
      expect(redecide(aTable([{ condition: all(...pairs) }, {}]), erased())).toBeUndefined();
    });

    it('agrees with every prompt that it could have been', () => {
      const patterns = ['a', 'b', 'ab'];
      const leaf = fc.constantFrom(...patterns.map(matches), is('mode', 'chat'), is('mode', 'crew'));
      const condition = fc.oneof(
        leaf,
        leaf.map(not),
        fc.array(leaf, { maxLength: 3 }).map((of) => all(...of)),
        fc.array(leaf, { maxLength: 3 }).map((of) => any(...of)),
      );
      const rule = fc.record({ condition, use: fc.constantFrom(chain('first'), chain('third')) });
      fc.assert(
        fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
          const table = aTable(rules);
          const outcome = redecide(table, erased());
          if (!outcome) return;
          for (const prompt of ['', 'a', 'b', 'ab', 'ba']) {
            expect(differences(outcome, redecide(table, anInput({ prompt }))!)).toEqual([]);
          }
        }),
        { numRuns: 300 },
      );
    });
  });
});

describe('what counts as a change', () => {
  const base = aTable([{ name: 'chat', condition: is('mode', 'chat') }]);
  const changed = (other: RoutingTable): string[] =>
    differences({ allowed: true, decision: decision(base) }, { allowed: true, decision: decision(other) });

  it.each<[string, RoutingTable, string[]]>([
    ['another order of providers', aTable([{ use: chain('second'), fallbacks: ['first'] }]), ['providers', 'timeouts']],
    ['a fallback less', aTable([{ fallbacks: [] }]), ['providers', 'timeouts', 'limits']],
    ['a shorter rule', aTable([{ timeoutMs: 4_000 }]), ['timeouts']],
    ['a shorter request', aTable([{}], { requestTimeoutMs: 90_000 }), ['timeouts']],
    ['a kept answer', aTable([{ cache: { ttlMs: 1, maxEntries: 1 } }]), ['cache']],
    ['a known answer', aTable([{}], { answers: [{ question: 'help', condition: all() }] }), ['answer']],
    ['more tokens', aTable([{}], { providers: { ...base.providers, first: aPolicy({ maxTokens: 9 }) } }), ['limits']],
  ])('is %s', (_what, other, aspects) => {
    expect(changed(other)).toEqual(expect.arrayContaining(aspects));
    expect(changed(other)[0]).toBe(aspects[0]);
  });

  it.each<[string, RoutingTable]>([
    ['the name of a rule', aTable([{ name: 'renamed' }])],
    ['its priority', aTable([{ priority: 7 }])],
    ['the weight of its DAO', aTable([{}], { weights: { 'greenfood-dao': 2 } })],
    ['the hash', aTable([{}], { hash: 'another' })],
    [
      'a price',
      aTable([{}], { providers: { ...base.providers, first: aPolicy({ price: { prompt: 1, completion: 2 } }) } }),
    ],
    ['a rule that takes nothing', aTable([{ name: 'never', condition: any(), use: chain('third') }, {}])],
  ])('is not %s', (_what, other) => {
    expect(changed(other)).toEqual([]);
  });

  it('is not the order of keys in the record, nor a key that is undefined', () => {
    const one = decision(base);
    const stored = JSON.parse(
      JSON.stringify(one, (_key, value: unknown) =>
        value && typeof value === 'object' && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).toReversed())
          : value,
      ),
    ) as Decision;
    const loose = { ...one, weight: undefined } as unknown as Decision;
    expect(Object.keys(stored)).not.toEqual(Object.keys(one));
    expect(differences({ allowed: true, decision: stored }, { allowed: true, decision: loose })).toEqual([]);
  });

  it('is another refusal, an allowance and a denial', () => {
    const allowed: Outcome = { allowed: true, decision: decision(base) };
    const refused: Outcome = { allowed: false, code: 'NO_ROUTE' };
    expect(differences(allowed, refused)).toEqual(['access']);
    expect(differences(refused, allowed)).toEqual(['access']);
    expect(differences(refused, { allowed: false, code: 'MODEL_NOT_FOUND' })).toEqual(['access']);
    expect(differences(refused, { allowed: false, code: 'NO_ROUTE' })).toEqual([]);
  });
});

describe('a report', () => {
  it('groups requests by their ways, the largest group first, and names the newest', () => {
    const before = aTable([{ name: 'old', fallbacks: [] }]);
    const after = aTable([
      { name: 'votes', condition: matches('vote'), use: chain('third'), fallbacks: [] },
      { name: 'new', use: chain('second'), fallbacks: [] },
    ]);
    const inputs = [
      anInput({ prompt: 'vote' }),
      ...Array.from({ length: 7 }, () => anInput()),
      anInput({ access: anAccess(['guest']) }),
    ];
    const report = change(before, after, inputs);
    expect(report).toMatchObject({
      hash: 'abc123',
      requests: 9,
      unchanged: 1,
      changed: 8,
      newly_allowed: 0,
      newly_denied: 0,
      undecidable: 0,
    });
    expect(report.groups).toEqual([
      {
        from: 'first',
        to: 'second',
        rule: { from: 'old', to: 'new' },
        requests: 7,
        examples: ['request-7', 'request-6', 'request-5', 'request-4', 'request-3'],
        expected: { from: null, to: null },
      },
      expect.objectContaining({
        to: 'third',
        rule: { from: 'old', to: 'votes' },
        requests: 1,
        examples: ['request-0'],
      }),
    ]);
  });

  it('names the newest whatever the order in which requests come', () => {
    const whatIf = new WhatIf({ table: aTable([{ use: chain('third') }]) });
    for (const index of [3, 9, 1, 7, 5, 2, 8]) whatIf.add(aRecord(aTable(), anInput(), index));
    expect(whatIf.report(12)).toMatchObject({
      took_ms: 12,
      groups: [{ examples: ['request-9', 'request-8', 'request-7', 'request-5', 'request-3'] }],
    });
  });

  it('says what is other where the providers are the same', () => {
    expect(change(aTable(), aTable([{ timeoutMs: 4_000 }])).groups).toMatchObject([
      { from: 'first → second', to: 'first → second (other timeouts)' },
    ]);
  });

  it('counts denials that become allowances, and the reverse', () => {
    const refusing = aTable([{ condition: is('mode', 'crew') }]);
    expect(change(refusing, aTable())).toMatchObject({
      changed: 1,
      newly_allowed: 1,
      newly_denied: 0,
      groups: [{ from: 'refused NO_ROUTE', to: 'first → second', rule: { from: null, to: 'chat' } }],
    });
    expect(change(aTable(), refusing)).toMatchObject({ changed: 1, newly_allowed: 0, newly_denied: 1 });
  });

  it('tells an answer that needs no model', () => {
    const helping = aTable([{}], { answers: [{ question: 'help', condition: all() }] });
    expect(change(aTable(), helping, [anInput({ access: anAccess(['guest']) })])).toMatchObject({
      newly_allowed: 1,
      groups: [{ from: 'refused RBAC_PERMISSION_DENIED', to: 'answered from the database (help)' }],
    });
  });

  it('counts apart what cannot be decided again', () => {
    const votes = aTable([{ condition: matches('vote'), use: chain('third') }, {}]);
    const whatIf = new WhatIf({ table: votes });
    whatIf.add({ ...aRecord(votes, anInput(), 0), inputs: anInput({ promptHead: undefined }) });
    whatIf.add(aRecord(votes, anInput(), 1));
    expect(whatIf.report(0)).toMatchObject({ requests: 2, unchanged: 1, changed: 0, undecidable: 1, groups: [] });
  });

  it('expects of each way what its first provider took and cost, by the prices of each table', () => {
    const figures = [
      { provider: 'first', calls: 5, p50Ms: 900, promptTokens: 1_000, completionTokens: 100 },
      { provider: 'second', calls: 5, p50Ms: 400, promptTokens: 2_000, completionTokens: 50 },
    ];
    const priced = aTable([{ use: chain('second') }], {
      providers: { first: aPolicy(), second: aPolicy({ price: { prompt: 1, completion: 4 } }) },
    });
    const one = aRecord(aTable(), anInput(), 0);
    expect(compare({ table: priced }, [one], figures).groups[0]?.expected).toEqual({
      from: { p50_ms: 900, cost_usd: null },
      to: { p50_ms: 400, cost_usd: 0.0022 },
    });
    expect(compare({ table: aTable([]) }, [one], []).groups[0]?.expected).toEqual({ from: null, to: null });
  });

  it('compares with another table instead of the record, where it is given one', () => {
    const recorded = [aRecord(aTable([{ use: chain('third') }]), anInput(), 0)];
    expect(compare({ table: aTable() }, recorded).changed).toBe(1);
    expect(compare({ table: aTable(), against: aTable() }, recorded)).toMatchObject({ changed: 0, unchanged: 1 });
  });

  it('decides with roles as they would be, in the DAO that they are of', () => {
    const recorded = [aRecord(aTable(), anInput({ access: anAccess(['guest']) }), 0)];
    const roles = { guest: ['chat.read', 'chat.write'] };
    const verdictIn = (daoId: string | null): WhatIfReport =>
      compare({ table: aTable(), roleChange: { daoId, roles } }, recorded);
    expect(verdictIn('greenfood-dao')).toMatchObject({ newly_allowed: 1 });
    expect(verdictIn(null)).toMatchObject({ newly_allowed: 1 });
    expect(verdictIn('other-dao')).toMatchObject({ newly_allowed: 0, unchanged: 1 });
    expect(withRoles(anInput(), { daoId: null, roles: { constructor: [] } }).access).toEqual(anInput().access);
  });

  it('finds nothing changed under the same table, whatever the traffic', () => {
    fc.assert(
      fc.property(fc.array(anyTraffic, { maxLength: 20 }), fc.string(), (inputs, hash) => {
        const recorded = inputs.map((one, index) => aRecord(BASE, one, index));
        // As the database gives it back.
        const stored = recorded.map((one) => ({ ...one, was: JSON.parse(JSON.stringify(one.was)) as Outcome }));
        const report = compare({ table: { ...BASE, hash } }, stored);
        expect(report).toMatchObject({ unchanged: inputs.length, changed: 0, undecidable: 0, groups: [] });
        for (const one of stored) {
          const again = redecide(BASE, one.inputs);
          expect(JSON.parse(JSON.stringify(again))).toEqual(one.was);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('adds up', () => {
    const other = aTable([{ name: 'votes', condition: matches('vote'), use: chain('third') }, aRule()]);
    fc.assert(
      fc.property(fc.array(anyTraffic, { maxLength: 30 }), (inputs) => {
        const report = compare(
          { table: other },
          inputs.map((one, index) => aRecord(BASE, one, index)),
        );
        expect(report.unchanged + report.changed + report.undecidable).toBe(report.requests);
        expect(report.groups.reduce((sum, group) => sum + group.requests, 0)).toBe(report.changed);
        expect(report.newly_allowed + report.newly_denied).toBeLessThanOrEqual(report.changed);
      }),
    );
  });
});

describe('the guard', () => {
  const report = (part: Partial<WhatIfReport>): WhatIfReport => ({
    hash: 'abc123',
    requests: 100,
    unchanged: 100,
    changed: 0,
    newly_allowed: 0,
    newly_denied: 0,
    undecidable: 0,
    groups: [],
    took_ms: 1,
    ...part,
  });
  const share = { maxChangedShare: 0.2 };

  it('lets through what changes nothing or little', () => {
    expect(guardVerdict(report({}), share)).toEqual({ ok: true, reasons: [] });
    expect(guardVerdict(report({ changed: 20, newly_denied: 20 }), share).ok).toBe(true);
    expect(guardVerdict(report({ requests: 0 }), share).ok).toBe(true);
    expect(guardVerdict(report({ undecidable: 50, changed: 10 }), share).ok).toBe(true);
  });

  it('holds a single denial that would become an allowance', () => {
    expect(guardVerdict(report({ changed: 1, newly_allowed: 1 }), { maxChangedShare: 1 })).toEqual({
      ok: false,
      reasons: ['1 of 100 recorded requests was refused and would be allowed'],
    });
  });

  it('holds what changes more than the share of what could be decided', () => {
    expect(guardVerdict(report({ changed: 21 }), share)).toEqual({
      ok: false,
      reasons: ['21 of 100 recorded requests would take another way (21 %, more than 20 %)'],
    });
    expect(guardVerdict(report({ undecidable: 50, changed: 11 }), share).ok).toBe(false);
    expect(guardVerdict(report({ changed: 1 }), { maxChangedShare: 0 }).ok).toBe(false);
  });

  it('holds what can hardly be judged', () => {
    expect(guardVerdict(report({ undecidable: 51 }), share)).toEqual({
      ok: false,
      reasons: ['51 of 100 recorded requests cannot be decided again: their prompts were erased'],
    });
    expect(guardVerdict(report({ undecidable: 100 }), share).ok).toBe(false);
  });
});
