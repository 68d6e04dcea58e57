import { describe, expect, it } from '@jest/globals';
import { ENTITLEMENTS } from '../contracts/access.js';
import { KNOWN_QUESTIONS } from '../contracts/request.js';
import { knownAnswer, type KnownFacts } from './known-answers.js';

const facts = (changes: Partial<KnownFacts> = {}): KnownFacts => ({
  prompt: 'help',
  dao: { id: 'greenfood-dao', name: 'GreenFood DAO', facts: { voting: 'Seven days.', purpose: 'Food from farms.' } },
  roles: ['member', 'contributor'],
  entitlements: ['chat.read', 'chat.write', 'proposal.vote'],
  ...changes,
});

describe('knownAnswer', () => {
  it('tells what one may do, and what one can ask', () => {
    const text = knownAnswer('help', facts());
    expect(text).toMatch(/^I am the assistant of GreenFood DAO\.\n/);
    expect(text).toContain('- ask the assistant anything');
    expect(text).toContain('- vote on proposals');
    expect(text).not.toContain('keys');
    expect(text).toMatch(/What is this DAO\?[^]*What are my roles\?/);
  });

  it('offers a guest no more than a guest may', () => {
    const text = knownAnswer('help', facts({ roles: ['guest'], entitlements: ['chat.read'] }));
    expect(text.match(/^- .*/gm)).toEqual(['- ask for help, for the facts of the DAO and for your own roles']);
  });

  it('tells name and facts of the DAO, and that there are none', () => {
    expect(knownAnswer('dao', facts())).toBe(
      'GreenFood DAO (greenfood-dao)\nWhat is known about it:\n- Purpose: Food from farms.\n- Voting: Seven days.',
    );
    const more = { zeal: 'Much.', opening_hours: 'Nine to five.', toString: 'Odd.', voting: 'Seven days.' };
    expect(
      knownAnswer('dao', facts({ prompt: 'я', dao: { id: 'd', name: 'D', facts: more } }))
        .split('\n')
        .slice(2),
    ).toEqual(['- Голосування: Seven days.', '- Opening hours: Nine to five.', '- ToString: Odd.', '- Zeal: Much.']);
    const dao = { id: 'new-dao', name: 'New DAO', facts: {} };
    expect(knownAnswer('dao', facts({ dao }))).toBe('New DAO (new-dao)\nNothing more is on record about it.');
  });

  it('tells the own roles and what they allow, also if that is nothing', () => {
    expect(knownAnswer('roles', facts({ entitlements: ['proposal.vote'] }))).toBe(
      'Your roles in GreenFood DAO: member, contributor.\nYou may:\n- vote on proposals',
    );
    const nothing = facts({ roles: ['banned'], entitlements: [] });
    expect(knownAnswer('roles', nothing)).toContain('Your roles allow you nothing here.');
  });

  it.each([
    ['Які мої ролі?', true],
    ['допоможи з DAO', true],
    ['/help', false],
    ['What does ДАО mean?', false],
    ['42 ?', false],
  ])('answers "%s" in the language of its letters: Ukrainian %s', (prompt, ukrainian) => {
    for (const question of KNOWN_QUESTIONS) {
      const text = knownAnswer(question, facts({ prompt }));
      const dao = { ...facts().dao, facts: {} };
      expect(/\p{Script=Cyrillic}/u.test(knownAnswer(question, facts({ prompt, dao })))).toBe(ukrainian);
      expect(text).toContain('GreenFood DAO');
    }
  });

  it('has words for every right, in both languages, and is silent about others', () => {
    for (const prompt of ['roles', 'ролі']) {
      const all = knownAnswer('roles', facts({ prompt, entitlements: [...ENTITLEMENTS, 'toString'] }));
      const lines = all.match(/^- .+/gm) ?? [];
      expect(new Set(lines).size).toBe(ENTITLEMENTS.length);
    }
  });
});
