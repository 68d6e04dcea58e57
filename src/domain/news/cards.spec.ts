import { describe, expect, it } from '@jest/globals';
import type { GateState } from '../../contracts/crew.js';
import { LANGUAGES } from '../../contracts/dialog.js';
import type { ShownTally } from '../../contracts/proposal.js';
import {
  closedProposalCard,
  gateCard,
  groupGateCard,
  openProposalCard,
  stoppedProposalCard,
  votedOn,
  type GateCard,
  type ProposalCard,
} from './cards.js';
import { newsPhrasesIn } from './phrases.js';

const EN = newsPhrasesIn('en');
const UK = newsPhrasesIn('uk');
const TALLY: ShownTally = {
  ...{ total: 5, participated: 3, voters: 3, ballots: 3, yes: 2, no: 1, abstain: 0 },
  ...{ quorum_met: true, threshold_met: true, sealed: false, final: false },
};

const aGate = (changes: Partial<GateCard> = {}): GateCard => ({
  ...{ kind: 'approval', state: 'open', ask: 'Give the role?', shown: { output: { role: 'member' } } },
  ...{ expiresAt: new Date('2026-12-01T10:00:00Z'), crew: 'microdao_onboarding', decisions: [], isReminder: false },
  tag: '0123456789abcdef',
  ...changes,
});

const aCard = (changes: Partial<ProposalCard['proposal']> = {}, tally: ShownTally | null = TALLY): ProposalCard => ({
  proposal: {
    ...{
      n: 7,
      title: 'Rent the barn',
      text: 'We rent it.',
      stage: 'open',
      closes_at: new Date('2026-12-01T10:00:00Z'),
    },
    ...{ execute_at: null, veto_reason: null, failure: null },
    ...changes,
  },
  tally,
  tag: '01234567',
});

const presses = ({ buttons }: ReturnType<typeof gateCard>): string[] => buttons.flat().map(({ press }) => press);

describe('what is asked of people', () => {
  it('should be shown with what may be decided, in few enough bytes', () => {
    const { body, buttons } = gateCard(aGate(), EN);
    expect(body.text).toBe(
      'Your approval is needed: Joining the DAO\n\nGive the role?\n\nrole: member\n\nUntil 1 Dec 2026, 10:00 UTC',
    );
    expect(buttons.flat().map(({ label }) => label)).toEqual(['✅ Approve', '❌ Reject', '↩️ Send back']);
    for (const press of presses({ body, buttons })) {
      expect(press).toMatch(/^gate:0123456789abcdef:[a-z]+$/);
      expect(Buffer.byteLength(press)).toBeLessThanOrEqual(64);
    }
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
    expect(body.text).toContain('Joining the DAO');
    expect(buttons).toEqual([]);
  });
});

describe('proposals', () => {
  it('should be shown with how the vote stands, and buttons while it is open', () => {
    const { body, buttons } = openProposalCard(aCard(), EN.opened, EN);
    expect(body.text).toContain('#7 Rent the barn');
    expect(body.text).toContain('Yes 2 · No 1 · Abstain 0\n3 people took part, weight 3 of 5; enough for a decision');
    expect(presses({ body, buttons })).toEqual(['yes', 'no', 'abstain'].map((choice) => `vote:7.01234567:${choice}`));
    expect(votedOn({ body, buttons })).toBe(7);
    const closed = openProposalCard(aCard({ stage: 'executed' }), EN.opened, EN);
    expect(closed.body.text).toMatch(/^#7[^]*Accepted/);
    expect(closed.buttons).toEqual([]);
    expect(votedOn(closed)).toBeUndefined();
  });

  it('should show of a sealed vote how many took part, and nothing else', () => {
    const { yes, no, abstain, threshold_met, ...sealed } = TALLY;
    expect([yes, no, abstain, threshold_met]).toEqual([2, 1, 0, true]);
    const { body } = openProposalCard(aCard({}, { ...sealed, sealed: true }), UK.opened, UK);
    expect(body.text).not.toMatch(/За 2|Проти 1/);
    expect(body.text).toContain('Участь: 3 людини');
  });

  it('should be told how they ended', () => {
    const passed = closedProposalCard(aCard({ stage: 'passed', execute_at: new Date('2026-12-02T10:00:00Z') }), UK);
    expect(passed.body.text).toMatch(/Ухвалено ✅[^]*Її буде виконано/);
    expect(closedProposalCard(aCard({ stage: 'expired' }), EN).body.text).toContain('too few took part');
    expect(stoppedProposalCard(aCard({ stage: 'vetoed', veto_reason: 'Too dear.' }), EN).body.text).toMatch(
      /vetoed[^]*Reason: Too dear\.$/,
    );
    const failed = aCard({ stage: 'failed', failure: { reason: 'ROLE_NOT_FOUND' } });
    expect(stoppedProposalCard(failed, UK).body.text).toMatch(/не вдалося виконати[^]*ROLE_NOT_FOUND$/);
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

  it.each([
    [1, 'людина'],
    [2, 'людини'],
    [5, 'людей'],
    [11, 'людей'],
    [21, 'людина'],
  ])('should count %i as Ukrainian does', (count, word) => {
    expect(UK.part(count, '1', '2')).toContain(`${count} ${word},`);
  });
});
