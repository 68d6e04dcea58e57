import { describe, expect, it } from '@jest/globals';
import type { GateState } from '../../contracts/crew.js';
import { LANGUAGES } from '../../contracts/dialog.js';
import type { ShownTally } from '../../contracts/proposal.js';
import { phrasesIn } from '../dialog/phrases.js';
import {
  closedProposalCard,
  gateCard,
  groupGateCard,
  stoppedProposalCard,
  type GateCard,
  type EndedProposal,
} from './cards.js';
import { newsPhrasesIn } from './phrases.js';

const EN = newsPhrasesIn('en');
const UK = newsPhrasesIn('uk');
const BOOKS_EN = { news: EN, dialog: phrasesIn('en') };
const BOOKS_UK = { news: UK, dialog: phrasesIn('uk') };
const TALLY: ShownTally = {
  ...{ total: 5, participated: 3, voters: 3, ballots: 3, yes: 2, no: 1, abstain: 0 },
  ...{ quorum_met: true, threshold_met: true, sealed: false, final: false },
};

const aGate = (changes: Partial<GateCard> = {}): GateCard => ({
  ...{ kind: 'approval', state: 'open', ask: 'Give the role?', shown: { output: { role: 'member' } }, inputs: {} },
  ...{ expiresAt: new Date('2026-12-01T10:00:00Z'), crew: 'microdao_onboarding', decisions: [], isReminder: false },
  tag: '0123456789abcdef',
  ...changes,
});

const aCard = (changes: Partial<EndedProposal['proposal']> = {}): EndedProposal => ({
  proposal: {
    ...{ n: 7, title: 'Rent the barn', stage: 'passed' },
    ...{ execute_at: null, veto_reason: null, failure: null },
    ...changes,
  },
  tally: TALLY,
});

const presses = ({ buttons }: ReturnType<typeof gateCard>): string[] => buttons.flat().map(({ press }) => press);

describe('what is asked of people', () => {
  it('should be shown with what may be decided, in few enough bytes', () => {
    const { body, buttons } = gateCard(aGate(), EN);
    expect(body.text).toBe(
      'Your approval is needed: getting to know the DAO\n\nGive the role?\n\nrole: member\n\nUntil 1 Dec 2026, 10:00 UTC',
    );
    expect(buttons.flat().map(({ label }) => label)).toEqual(['✅ Approve', '❌ Reject', '↩️ Send back']);
    for (const press of presses({ body, buttons })) {
      expect(press).toMatch(/^gate:0123456789abcdef:[a-z]+$/);
      expect(Buffer.byteLength(press)).toBeLessThanOrEqual(64);
    }
  });

  it('should be one question where somebody gets a role, with what they say of themselves', () => {
    const shown = {
      output: { suggested_role: 'contributor', reason: 'They code.' },
      action: { action: 'assign_role', role: 'contributor', user_id: 'tg:701' },
    };
    const { body } = gateCard(
      aGate({ shown, inputs: { name: 'Olena', about: 'I can\ncode.' }, timeZone: 'Europe/Kyiv' }),
      EN,
    );
    expect(body.text).toBe(
      [
        'Your approval is needed: getting to know the DAO',
        'Give Olena (tg:701) the role contributor?',
        'They say of themselves: “I can code.”\nWhy this role: They code.',
        'Until 1 Dec 2026, 12:00 (Europe/Kyiv)',
      ].join('\n\n'),
    );
    const nameless = gateCard(aGate({ shown: { ...shown, output: {} } }), UK);
    expect(nameless.body.text).toContain('\n\nНадати роль contributor: tg:701?\n\n');
  });

  it.each([
    ['question', ['answer']],
    ['limit', ['continue', 'stop']],
  ] as const)('should be decided as its kind is: %s', (kind, acts) => {
    expect(presses(gateCard(aGate({ kind }), UK))).toEqual(acts.map((act) => `gate:0123456789abcdef:${act}`));
  });

  it('should say who decided what, and have no buttons then', () => {
    const decisions = [
      { name: 'Anna', decision: 'approve' as const },
      { name: null, decision: 'approve' as const },
    ];
    const half = gateCard(aGate({ decisions: decisions.slice(0, 1) }), EN);
    expect(half.body.text).toMatch(/Decided by Anna: approved\nUntil/);
    expect(half.buttons).not.toEqual([]);
    const { body, buttons } = gateCard(aGate({ state: 'approved', decisions }), EN);
    expect(body.text).toMatch(/Decided by Anna: approved\nDecided by a member: approved$/);
    expect(buttons).toEqual([]);
    expect(
      gateCard(aGate({ state: 'rejected', decisions: [{ name: 'Anna', decision: 'reject' }] }), UK).body.text,
    ).toMatch(/Рішення: відхилено \(Anna\)$/);
  });

  it('should say what became of it where nobody ended it', () => {
    const decisions = [{ name: 'Anna', decision: 'approve' as const }];
    for (const state of ['expired', 'closed'] satisfies GateState[]) {
      expect(gateCard(aGate({ state, decisions }), EN).body.text).toMatch(new RegExp(`approved\n${EN.states[state]}$`));
    }
  });

  it('should tell a group neither what it is about nor who decides', () => {
    const { body, buttons } = groupGateCard(aGate(), EN);
    expect(body.text).not.toContain('role');
    expect(body.text).toContain('getting to know the DAO');
    expect(buttons).toEqual([]);
  });
});

describe('proposals', () => {
  it('should be told how they ended', () => {
    const passed = closedProposalCard(
      aCard({ stage: 'passed', execute_at: new Date('2026-12-02T10:00:00Z') }),
      BOOKS_UK,
    );
    expect(passed.body.text).toMatch(/Ухвалено ✅[^]*Її буде виконано/);
    expect(closedProposalCard(aCard({ stage: 'expired' }), BOOKS_EN).body.text).toContain('too few took part');
    expect(stoppedProposalCard(aCard({ stage: 'vetoed', veto_reason: 'Too dear.' }), BOOKS_EN).body.text).toMatch(
      /vetoed[^]*Reason: Too dear\.$/,
    );
    const failed = aCard({ stage: 'failed', failure: { reason: 'ROLE_NOT_FOUND' } });
    expect(stoppedProposalCard(failed, BOOKS_UK).body.text).toMatch(/не вдалося виконати[^]*ROLE_NOT_FOUND$/);
  });
});

describe('phrases', () => {
  it('should be there in every language, and be none in another', () => {
    for (const language of LANGUAGES) {
      const { crews, topics, states } = newsPhrasesIn(language);
      for (const words of [...Object.values(crews), ...Object.values(topics), ...Object.values(states)]) {
        expect(/\p{Script=Cyrillic}/u.test(words)).toBe(language === 'uk');
      }
    }
  });
});
