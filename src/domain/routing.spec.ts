import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aRule, aTable, all, anInput, chain, is, matches, named } from '../../test/factories/routing.js';
import type { DecisionInputs } from '../contracts/request.js';
import type { RoutingRule, RoutingTable } from '../contracts/routing.js';
import { promptMatcher, type Subject } from './conditions.js';
import { explainRules, matchRule, providersOf, rulesInOrder } from './routing.js';

const subject = (inputs: DecisionInputs = anInput()): Subject => ({
  inputs,
  roles: ['member'],
  matches: promptMatcher(inputs.promptHead),
});

const taken = (table: RoutingTable, inputs?: DecisionInputs): string | undefined =>
  matchRule(table, subject(inputs))?.rule.name;

const rules = (...parts: Partial<RoutingRule>[]): RoutingTable => aTable(parts);

describe('matchRule', () => {
  it('takes the first rule whose condition holds', () => {
    const table = rules(
      { name: 'devtools', condition: is('mode', 'devtools') },
      { name: 'half', condition: all(is('mode', 'chat'), is('source', 'discord')) },
      { name: 'first', condition: is('mode', 'chat') },
      { name: 'second' },
    );
    expect(taken(table)).toBe('first');
  });

  it('finds nothing where no rule holds and there is no default', () => {
    expect(taken(rules({ condition: is('mode', 'crew') }))).toBeUndefined();
    expect(taken(rules())).toBeUndefined();
  });

  it('takes the default where no rule holds, and only there', () => {
    const defaultRule = aRule({ name: 'default' });
    const table = aTable([{ name: 'crew', condition: is('mode', 'crew') }], { defaultRule });
    expect(taken(table)).toBe('default');
    expect(taken(table, anInput({ mode: 'crew' }))).toBe('crew');
  });

  it('leads to the providers of the rule, then to its fallbacks, each once', () => {
    const table = rules({ use: chain('first', 'second'), fallbacks: ['second', 'third', 'first'] });
    expect(matchRule(table, subject())?.chain).toEqual(['first', 'second', 'third']);
  });

  describe('with use_metadata', () => {
    const table = aTable(
      [{ name: 'chosen', use: named('provider', 'second', 'third'), fallbacks: ['first'] }, { name: 'else' }],
      {},
    );
    const asking = (metadata: Record<string, unknown>): DecisionInputs => anInput({ metadata });

    it('leads to the provider that the metadata name, then to the fallbacks', () => {
      const match = matchRule(table, subject(asking({ provider: 'third' })));
      expect(match).toMatchObject({ rule: { name: 'chosen' }, chain: ['third', 'first'] });
    });

    it.each([
      ['name none', {}],
      ['name one that exists and is not on the list', { provider: 'first' }],
      ['name one that does not exist', { provider: 'elsewhere' }],
      ['name no text', { provider: ['third'] }],
      ['name what every object inherits', Object.create({ provider: 'third' }) as Record<string, unknown>],
    ])('does not match where the metadata %s', (_what, metadata) => {
      expect(taken(table, asking(metadata))).toBe('else');
    });

    it('can be the default, which then takes no other request', () => {
      const only = aTable([], { defaultRule: aRule({ name: 'default', use: named('provider', 'second') }) });
      expect(taken(only, asking({ provider: 'second' }))).toBe('default');
      expect(taken(only, asking({ provider: 'third' }))).toBeUndefined();
    });
  });

  it('never takes a later rule where an earlier one holds', () => {
    const modes = fc.constantFrom('chat' as const, 'crew' as const, 'devtools' as const);
    fc.assert(
      fc.property(fc.array(modes), modes, (ruled, mode) => {
        const table = rules(...ruled.map((one, index) => ({ name: `rule-${index}`, condition: is('mode', one) })));
        const first = ruled.indexOf(mode);
        expect(taken(table, anInput({ mode }))).toBe(first === -1 ? undefined : `rule-${first}`);
      }),
    );
  });
});

describe('explainRules', () => {
  const table = aTable(
    [
      { name: 'crews', condition: is('mode', 'crew') },
      { name: 'chosen', use: named('provider', 'third') },
      { name: 'votes', condition: matches('vote') },
      { name: 'late' },
    ],
    { defaultRule: aRule({ name: 'default' }) },
  );
  const told = (inputs: DecisionInputs): [string, string][] =>
    explainRules(table, subject(inputs)).map(({ rule, outcome }) => [rule.name, outcome]);

  it('says of every rule in order, the default last, what became of it', () => {
    expect(told(anInput({ prompt: 'How do I vote?' }))).toEqual([
      ['crews', 'condition failed'],
      ['chosen', 'provider not allowed'],
      ['votes', 'taken'],
      ['late', 'a rule before it took the request'],
      ['default', 'a rule before it took the request'],
    ]);
  });

  it('says that a rule behind the one that took the request would not have taken it anyway', () => {
    expect(told(anInput({ metadata: { provider: 'third' } }))).toEqual([
      ['crews', 'condition failed'],
      ['chosen', 'taken'],
      ['votes', 'condition failed'],
      ['late', 'a rule before it took the request'],
      ['default', 'a rule before it took the request'],
    ]);
  });

  it('gives the chain that each would give', () => {
    const chains = explainRules(table, subject()).map((one) => one.chain);
    expect(chains.slice(0, 2)).toEqual([['first', 'second'], undefined]);
  });
});

describe('a table', () => {
  const table = aTable(
    [
      { name: 'a', use: chain('first', 'second'), fallbacks: [] },
      { name: 'b', use: named('provider', 'second', 'third'), fallbacks: [] },
    ],
    { defaultRule: aRule({ name: 'default', use: chain('fourth'), fallbacks: ['fifth'] }) },
  );

  it('knows its rules in the order in which they are tried', () => {
    expect(rulesInOrder(table).map(({ name }) => name)).toEqual(['a', 'b', 'default']);
  });

  it('knows the providers to which rules lead first, and all of them', () => {
    expect(providersOf(table)).toEqual({
      first: ['first', 'second', 'third', 'fourth'],
      all: ['first', 'second', 'third', 'fourth', 'fifth'],
    });
  });
});
