import { describe, expect, it } from '@jest/globals';
import { MOST_FACTS } from '../contracts/dao.js';
import type { ProposalAction } from '../contracts/proposal.js';
import { namedIn, planActions, recordedAction, type ActionWorld } from './proposal-actions.js';

const WORLD: ActionWorld = {
  roles: new Set(['admin', 'member']),
  members: new Map([
    ['p_1', ['member']],
    ['p_2', []],
  ]),
  taken: new Set(['tg:1']),
  facts: { purpose: 'Food.' },
  settings: { quorum: 0.2 },
};

const grant = (member: string, role: string): ProposalAction => ({ type: 'grant_role', member, role });
const revoke = (member: string, role: string): ProposalAction => ({ type: 'revoke_role', member, role });

describe(planActions.name, () => {
  it('should plan each action on what the ones before it leave', () => {
    const actions: ProposalAction[] = [
      grant('p_2', 'member'),
      grant('p_2', 'admin'),
      grant('p_1', 'member'),
      revoke('p_2', 'member'),
      { type: 'set_fact', name: 'motto', value: 'Eat.' },
      { type: 'set_fact', name: 'purpose', value: null },
      { type: 'set_setting', name: 'sealed', value: true },
      { type: 'set_setting', name: 'quorum', value: null },
      { type: 'invite', user_id: 'tg:9', roles: ['member'] },
    ];
    expect(planActions(actions, WORLD)).toEqual({
      plan: {
        members: new Map([
          ['p_2', ['admin']],
          ['p_1', ['member']],
        ]),
        facts: { motto: 'Eat.' },
        settings: { sealed: true },
        invitations: [{ userId: 'tg:9', roles: ['member'] }],
      },
    });
  });

  it('should plan nothing where there is nothing', () => {
    expect(planActions([], WORLD)).toEqual({ plan: { members: new Map(), invitations: [] } });
  });

  it.each<[string, ProposalAction]>([
    ['ROLE_NOT_FOUND', grant('p_1', 'king')],
    ['MEMBER_NOT_FOUND', grant('p_9', 'member')],
    ['MEMBER_NOT_FOUND', revoke('p_9', 'member')],
    ['ROLE_NOT_FOUND', { type: 'invite', user_id: 'tg:9', roles: ['king'] }],
    ['ALREADY_MEMBER', { type: 'invite', user_id: 'tg:1', roles: ['member'] }],
    ['NOT_A_PERSON', { type: 'invite', user_id: 'x_0', roles: ['member'] }],
    ['NOT_A_PERSON', { type: 'invite', user_id: 'api:bot', roles: ['member'] }],
    ['SETTING_INVALID', { type: 'set_setting', name: 'quorum', value: 2 }],
  ])('should name the first action that cannot be done: %s', (reason, action) => {
    expect(planActions([grant('p_1', 'admin'), action], WORLD)).toEqual({ problem: { action: 1, reason } });
  });

  it('should bound the number of facts', () => {
    const actions = Array.from({ length: MOST_FACTS }, (_, at): ProposalAction => {
      return { type: 'set_fact', name: `fact ${at}`, value: 'x' };
    });
    expect(planActions(actions, WORLD)).toEqual({ problem: { action: MOST_FACTS - 1, reason: 'TOO_MANY_FACTS' } });
  });

  it('should not be misled by names that objects have of themselves', () => {
    const actions: ProposalAction[] = [
      { type: 'set_fact', name: '__proto__', value: 'x' },
      { type: 'set_fact', name: 'constructor', value: null },
    ];
    const planned = planActions(actions, WORLD);
    expect('plan' in planned && Object.keys(planned.plan.facts ?? {}).toSorted()).toEqual(['__proto__', 'purpose']);
  });
});

describe(namedIn.name, () => {
  it('should find everybody once', () => {
    const invite: ProposalAction = { type: 'invite', user_id: 'tg:9', roles: [] };
    const actions = [grant('p_1', 'member'), revoke('p_1', 'admin'), invite];
    expect(namedIn(actions)).toEqual({ members: ['p_1'], users: ['tg:9'] });
  });
});

describe(recordedAction.name, () => {
  it('should put no text, no name of a fact and no platform id on the record', () => {
    const actions: ProposalAction[] = [
      { type: 'set_fact', name: 'secret name', value: 'secret text' },
      { type: 'invite', user_id: 'tg:secret', roles: ['member'] },
      { type: 'set_setting', name: 'sealed', value: true },
      grant('p_1', 'member'),
    ];
    const recorded = JSON.stringify(actions.map(recordedAction));
    expect(recorded).not.toContain('secret');
    expect(recorded).toContain('p_1');
  });
});
