import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RoutingRule } from '../contracts/routing.js';
import { matchRule, type RoutingFacts } from './routing.js';

const rule = (name: string, conditions: RoutingRule['conditions'] = {}): RoutingRule => ({
  name,
  priority: 100,
  conditions,
  chain: ['embedded'],
});

const facts = (part: Partial<RoutingFacts> = {}): RoutingFacts => ({
  mode: 'chat',
  agent: undefined,
  source: 'telegram',
  daoId: 'greenfood-dao',
  roles: ['member', 'contributor'],
  metadata: {},
  ...part,
});

const matches = (conditions: RoutingRule['conditions'], part: Partial<RoutingFacts> = {}): boolean =>
  matchRule([rule('only', conditions)], facts(part)) !== undefined;

describe('matchRule', () => {
  it('takes the first rule whose conditions all hold', () => {
    const rules = [
      rule('devtools', { mode: 'devtools' }),
      rule('half', { mode: 'chat', source: 'discord' }),
      rule('first', { mode: 'chat' }),
      rule('second'),
    ];
    expect(matchRule(rules, facts())?.name).toBe('first');
  });

  it('takes a rule without conditions for every request', () => {
    expect(matches({})).toBe(true);
  });

  it('finds nothing where no rule holds', () => {
    expect(matchRule([rule('crew', { mode: 'crew' })], facts())).toBeUndefined();
    expect(matchRule([], facts())).toBeUndefined();
  });

  it.each([
    ['mode', { mode: 'chat' }, { mode: 'crew' }],
    ['agent', { agent: 'helper' }, { agent: 'other' }],
    ['source', { source: 'telegram' }, { source: 'discord' }],
    ['DAO', { dao_id: 'greenfood-dao' }, { dao_id: 'other-dao' }],
    ['role', { role: 'contributor' }, { role: 'admin' }],
    ['metadata', { task_type: 'legal' }, { task_type: 'finance' }],
  ])('compares by %s', (_what, holding, failing) => {
    const part = { agent: 'helper', metadata: { task_type: 'legal' } };
    expect(matches(holding as RoutingRule['conditions'], part)).toBe(true);
    expect(matches(failing as RoutingRule['conditions'], part)).toBe(false);
  });

  it('takes a list for any of its values', () => {
    expect(matches({ source: ['discord', 'telegram'] })).toBe(true);
    expect(matches({ source: ['discord', 'mcp'] })).toBe(false);
    expect(matches({ role: ['admin', 'member'] })).toBe(true);
    expect(matches({ level: [1, 2] }, { metadata: { level: 2 } })).toBe(true);
  });

  it('does not take a text for a number or a flag', () => {
    expect(matches({ level: 1 }, { metadata: { level: '1' } })).toBe(false);
    expect(matches({ urgent: true }, { metadata: { urgent: 'true' } })).toBe(false);
  });

  it('does not take what is absent for anything', () => {
    expect(matches({ agent: 'helper' })).toBe(false);
    expect(matches({ task_type: 'legal' })).toBe(false);
    expect(matches({ role: 'guest' }, { roles: [] })).toBe(false);
  });

  it('looks for the DAO of the request, not for one that the metadata names', () => {
    expect(matches({ dao_id: 'other-dao' }, { metadata: { dao_id: 'other-dao' } })).toBe(false);
    expect(matches({ role: 'admin' }, { metadata: { role: 'admin' } })).toBe(false);
    expect(matches({ mode: 'crew' }, { metadata: { mode: 'crew' } })).toBe(false);
  });

  it('sees only what metadata itself holds, not what every object inherits', () => {
    expect(matchRule([rule('odd', { constructor: 'x', toString: 'y' })], facts())).toBeUndefined();
    expect(matches({ constructor: 'x' }, { metadata: { constructor: 'x' } })).toBe(true);
    const inherited = Object.create({ task_type: 'legal' }) as Record<string, unknown>;
    expect(matches({ task_type: 'legal' }, { metadata: inherited })).toBe(false);
  });

  it('never takes a later rule where an earlier one holds', () => {
    const modes = fc.constantFrom('chat', 'crew', 'devtools');
    fc.assert(
      fc.property(fc.array(modes), modes, (ruled, mode) => {
        const rules = ruled.map((one, index) => rule(`rule-${index}`, { mode: one }));
        const first = ruled.indexOf(mode);
        expect(matchRule(rules, facts({ mode }))).toBe(first === -1 ? undefined : rules[first]);
      }),
    );
  });
});
