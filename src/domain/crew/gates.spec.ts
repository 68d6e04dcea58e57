import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GateDecision } from '../../contracts/crew.js';
import {
  approvalsLeft,
  changedOutput,
  gateDue,
  gateRefusal,
  stateAfter,
  type Gate,
  type MadeDecision,
} from './gates.js';

const ASKED = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number): Date => new Date(ASKED.getTime() + seconds * 1_000);
const gate = (changes: Partial<Gate> = {}): Gate => ({
  ...{ kind: 'approval', state: 'open', starter: 'ann', roles: ['admin'], count: 1, self: false },
  ...{ askedAt: ASKED, expiresAt: later(100), decisions: [] },
  ...changes,
});
const admin = (member = 'bob') => ({ member, roles: ['member', 'admin'] });
const made = (member: string, decision: GateDecision['decision'], more: Partial<GateDecision> = {}): MadeDecision => ({
  ...{ member, decision },
  ...more,
});

describe(gateRefusal.name, () => {
  it.each<[string, Partial<Gate>, { member: string; roles: string[] }, GateDecision, string | undefined]>([
    ['who has the role', {}, admin(), { decision: 'approve' }, undefined],
    ['who has it no longer', {}, { member: 'bob', roles: ['member'] }, { decision: 'approve' }, 'role_missing'],
    ['who started it', {}, admin('ann'), { decision: 'approve' }, 'own_run'],
    ['who started it, where they may', { self: true }, admin('ann'), { decision: 'approve' }, undefined],
    ['whose key started it for another', { answers: 'bob' }, admin(), { decision: 'approve' }, 'own_run'],
    [
      'who started it without the role',
      { self: true },
      { member: 'ann', roles: [] },
      { decision: 'approve' },
      'role_missing',
    ],
    [
      'a second time',
      { count: 2, decisions: [made('bob', 'approve')] },
      admin(),
      { decision: 'reject' },
      'already_decided',
    ],
    ['after another', { count: 2, decisions: [made('eve', 'approve')] }, admin(), { decision: 'reject' }, undefined],
    [
      'again, of another output',
      { count: 2, decisions: [made('bob', 'approve'), made('eve', 'approve', { output: { a: 1 } })] },
      admin(),
      { decision: 'approve' },
      undefined,
    ],
    ['of a decided gate', { state: 'approved' }, admin(), { decision: 'approve' }, 'closed'],
    ['of an expired gate', { state: 'expired' }, admin(), { decision: 'approve' }, 'expired'],
    [
      'what they may not see the state of',
      { state: 'approved' },
      { member: 'x', roles: [] },
      { decision: 'approve' },
      'role_missing',
    ],
    ['to send it back without words', {}, admin(), { decision: 'return', comment: '  ' }, 'words_missing'],
    ['to send it back', {}, admin(), { decision: 'return', comment: 'Shorter.' }, undefined],
    ['to go on, at an approval', {}, admin(), { decision: 'continue' }, 'wrong_decision'],
    [
      'an answer of who started it',
      { kind: 'question' },
      { member: 'ann', roles: [] },
      { decision: 'answer', comment: '7' },
      undefined,
    ],
    [
      'an answer of somebody else',
      { kind: 'question', roles: [] },
      admin(),
      { decision: 'answer', comment: '7' },
      'role_missing',
    ],
    ['an empty answer', { kind: 'question' }, { member: 'ann', roles: [] }, { decision: 'answer' }, 'words_missing'],
    [
      'to go on, by who started it without the role',
      { kind: 'limit', self: true },
      { member: 'ann', roles: [] },
      { decision: 'continue' },
      'role_missing',
    ],
    [
      'to go on, by who started it and has the role',
      { kind: 'limit' },
      admin('ann'),
      { decision: 'continue' },
      undefined,
    ],
    ['to stop, by a role', { kind: 'limit' }, admin(), { decision: 'stop' }, undefined],
    ['to approve a limit', { kind: 'limit' }, admin(), { decision: 'approve' }, 'wrong_decision'],
  ])('should judge a decision: %s', (_name, changes, decider, decision, refusal) =>
    expect(gateRefusal(gate(changes), decider, decision, later(1))).toBe(refusal),
  );

  it('should take none from the moment on at which the gate expires', () => {
    expect(gateRefusal(gate(), admin(), { decision: 'approve' }, later(99.999))).toBeUndefined();
    expect(gateRefusal(gate(), admin(), { decision: 'approve' }, later(100))).toBe('expired');
  });
});

describe(stateAfter.name, () => {
  it.each<[string, Partial<Gate>, MadeDecision, string]>([
    ['one of one', {}, made('a', 'approve'), 'approved'],
    ['one of two', { count: 2 }, made('a', 'approve'), 'open'],
    ['two of two', { count: 2, decisions: [made('a', 'approve')] }, made('b', 'approve'), 'approved'],
    ['one who rejects', { count: 2, decisions: [made('a', 'approve')] }, made('b', 'reject'), 'rejected'],
    ['one who sends it back', { count: 3 }, made('a', 'return'), 'returned'],
    ['a changed output', { count: 2, decisions: [made('a', 'approve')] }, made('b', 'approve', { output: {} }), 'open'],
    [
      'those who approve a changed output',
      { count: 2, decisions: [made('a', 'approve'), made('b', 'approve', { output: {} })] },
      made('a', 'approve'),
      'approved',
    ],
    ['an answer', { kind: 'question' }, made('a', 'answer'), 'answered'],
    ['going on', { kind: 'limit' }, made('a', 'continue'), 'continued'],
    ['stopping', { kind: 'limit' }, made('a', 'stop'), 'rejected'],
  ])('should follow from %s', (_name, changes, decision, state) =>
    expect(stateAfter(gate(changes), decision)).toBe(state),
  );

  it('should approve only when as many people as are asked for approved the same output', () => {
    const moves = fc.array(
      fc.record({
        member: fc.constantFrom('a', 'b', 'c', 'd', 'ann'),
        changes: fc.boolean(),
        isAdmin: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    let approvals = 0;
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 3 }), (all, count) => {
        let now = gate({ count });
        for (const [index, { member, changes, isAdmin }] of all.entries()) {
          const decision: GateDecision = { decision: 'approve', ...(changes && { output: { version: index } }) };
          if (gateRefusal(now, { member, roles: isAdmin ? ['admin'] : [] }, decision, later(1))) continue;
          const one = { ...decision, member };
          now = { ...now, state: stateAfter(now, one), decisions: [...now.decisions, one] };
        }
        const output = changedOutput(now.decisions);
        const from = now.decisions.findLastIndex((one) => one.output === output && output !== undefined);
        const people = new Set(now.decisions.slice(Math.max(0, from)).map(({ member }) => member));
        expect(people.has('ann')).toBe(false);
        expect(now.state === 'approved').toBe(people.size >= count);
        expect(approvalsLeft(now)).toBe(Math.max(0, count - people.size));
        if (now.state === 'approved') approvals += 1;
      }),
      { numRuns: 500 },
    );
    expect(approvals).toBeGreaterThan(50);
  });
});

describe(gateDue.name, () => {
  it.each<[string, number, number, boolean, number]>([
    ['first for its reminder', 10, 70, false, 10],
    ['then for its end', 10, 70, true, 70],
    ['for its end alone where that comes first', 70, 10, false, 10],
  ])('should look again %s', (_, remindAfterS, expiresAfterS, reminded, due) => {
    const times = { remindAt: later(remindAfterS), expiresAt: later(expiresAfterS) };
    expect(gateDue({ ...times, reminded })).toEqual(later(due));
  });
});
