import { describe, expect, it } from '@jest/globals';
import { isSetting } from '../domain/proposal-rules.js';
import { DaoChangesSchema } from './daos.js';
import { NewProposalSchema, ProposalActingSchema, ProposalChangesSchema, VetoSchema, VoteSchema } from './proposals.js';

const draft = (actions: unknown[]): object => ({ title: 'T', text: 'T', actions });
const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('bodies of proposals', () => {
  it('should be trimmed, and have no actions and not be open unless said', () => {
    expect(NewProposalSchema.parse({ title: ' A motto\0 ', text: 'Let us have one.\n' })).toEqual({
      ...{ title: 'A motto', text: 'Let us have one.', actions: [], review: null, open: false },
    });
  });

  it.each<[object, boolean]>([
    [{ type: 'grant_role', member: 'p_1', role: 'member' }, true],
    [{ type: 'revoke_role', user_id: 'tg:1', role: 'member' }, true],
    [{ type: 'grant_role', role: 'member' }, false],
    [{ type: 'grant_role', member: 'p_1', user_id: 'tg:1', role: 'member' }, false],
    [{ type: 'set_fact', name: 'motto', value: 'Eat.' }, true],
    [{ type: 'set_fact', name: 'motto', value: null }, true],
    [{ type: 'set_fact', name: ' ', value: 'Eat.' }, false],
    [{ type: 'set_fact', name: 'motto', value: '' }, false],
    [{ type: 'invite', user_id: 'tg:9', roles: ['member'] }, true],
    [{ type: 'invite', user_id: 'tg:9', roles: [] }, false],
    [{ type: 'transfer', amount: 1 }, false],
    [{ type: 'set_fact', name: 'motto', value: 'Eat.', secretly: true }, false],
  ])('should take the action %j: %s', (action, expected) => {
    expect(fits(NewProposalSchema, draft([action]))).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['voting_hours', 24],
    ['voting_hours', 0.5],
    ['quorum', 1],
    ['quorum', -0.1],
    ['threshold', 1],
    ['threshold', 0.99],
    ['veto_hours', 721],
    ['sealed', 'yes'],
    ['role_weights', { admin: 2 }],
    ['role_weights', { '': 2 }],
    ['role_weights', Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`r${at}`, 1]))],
    ['role_weights', Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`r${at}`, 1]))],
    ['member_weights', { p_1: 2 }],
    ['member_weights', { [`p_${'0'.repeat(32)}`]: 2 }],
    ['member_weights', { [`p_${'0'.repeat(32)}`]: -2 }],
    ['budget', 1],
  ])('should take the setting %s = %j as the domain does', (name, value) => {
    expect(fits(NewProposalSchema, draft([{ type: 'set_setting', name, value }]))).toBe(isSetting(name, value));
  });

  it.each([
    ['threshold', 1],
    ['threshold', 0.99],
    ['quorum', 1],
    ['voting_hours', 0.5],
    ['role_weights', { '': 1 }],
    ['member_weights', { p_1: 1 }],
    ['sealed', null],
  ])('should take the setting %s = %j as a change of the DAO does', (name, value) => {
    const voted = fits(NewProposalSchema, draft([{ type: 'set_setting', name, value }]));
    expect(fits(DaoChangesSchema, { settings: { [name]: value } })).toBe(voted);
  });

  it('should take at most twenty actions', () => {
    const action = { type: 'set_fact', name: 'motto', value: 'Eat.' };
    expect(fits(NewProposalSchema, draft(Array(20).fill(action)))).toBe(true);
    expect(fits(NewProposalSchema, draft(Array(21).fill(action)))).toBe(false);
  });

  it('should change something, vote for something, and veto for a reason', () => {
    expect(fits(ProposalChangesSchema, {})).toBe(false);
    expect(fits(ProposalChangesSchema, { user_id: 'tg:1' })).toBe(false);
    expect(fits(ProposalChangesSchema, { text: 'Other.' })).toBe(true);
    expect(fits(VoteSchema, { choice: 'yes', ballot_id: 'x'.repeat(64) })).toBe(true);
    expect(fits(VoteSchema, { choice: 'maybe' })).toBe(false);
    expect(fits(VoteSchema, { choice: 'yes', ballot_id: '' })).toBe(false);
    expect(fits(VetoSchema, { reason: ' ' })).toBe(false);
    for (const none of [undefined, null, {}]) expect(fits(ProposalActingSchema, none)).toBe(true);
  });
});
