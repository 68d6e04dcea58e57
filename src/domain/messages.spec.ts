import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { estimateTokens } from '../contracts/text.js';
import { buildMessages, recentTurns, type PastTurn, type PromptFacts } from './messages.js';

const turns = fc.array(fc.record({ prompt: fc.string({ unit: 'grapheme' }), answer: fc.string({ unit: 'grapheme' }) }));
const cost = (turn: PastTurn): number => estimateTokens(turn.prompt) + estimateTokens(turn.answer);
const total = (list: readonly PastTurn[]): number => list.reduce((sum, turn) => sum + cost(turn), 0);

const facts = (part: Partial<PromptFacts> = {}): PromptFacts => ({
  daoName: 'GreenFood DAO',
  daoFacts: { voting: 'Members vote for seven days.', joining: 'Ask the bot.' },
  roles: ['member', 'contributor'],
  history: [],
  prompt: 'How long is a vote?',
  historyTokens: 1_000,
  ...part,
});

describe('recentTurns', () => {
  it('keeps the newest turns that fit, oldest first', () => {
    const history = ['third', 'second', 'first'].map((prompt) => ({ prompt, answer: 'abc' }));
    expect(recentTurns(history, 6).map(({ prompt }) => prompt)).toEqual(['second', 'third']);
  });

  it('never costs more than the budget', () => {
    fc.assert(
      fc.property(turns, fc.nat({ max: 200 }), (history, budget) => {
        expect(total(recentTurns(history, budget))).toBeLessThanOrEqual(budget);
      }),
    );
  });

  it('keeps whole turns without a gap, and leaves out no turn that would have fitted', () => {
    fc.assert(
      fc.property(turns, fc.nat({ max: 200 }), (history, budget) => {
        const kept = recentTurns(history, budget);
        expect(kept).toEqual(history.slice(0, kept.length).toReversed());
        const next = history[kept.length];
        if (next) expect(total(kept) + cost(next)).toBeGreaterThan(budget);
      }),
    );
  });

  it('does not skip a long turn to reach a short older one', () => {
    const history = [
      { prompt: 'now', answer: 'ok' },
      { prompt: 'x'.repeat(300), answer: 'y' },
      { prompt: 'old', answer: 'ok' },
    ];
    expect(recentTurns(history, 50)).toEqual([history[0]]);
  });
});

describe('buildMessages', () => {
  it('puts the DAO and the roles first, then the past in order, then the prompt', () => {
    const history = [
      { prompt: 'newer', answer: 'b' },
      { prompt: 'older', answer: 'a' },
    ];
    const messages = buildMessages(facts({ history }));
    expect(messages.map(({ role, content }) => [role, content]).slice(1)).toEqual([
      ['user', 'older'],
      ['assistant', 'a'],
      ['user', 'newer'],
      ['assistant', 'b'],
      ['user', 'How long is a vote?'],
    ]);
    expect(messages[0]?.role).toBe('system');
  });

  it('tells the model the name and the facts of the DAO and every role of the person', () => {
    const system = buildMessages(facts())[0]?.content ?? '';
    expect(system).toContain('GreenFood DAO');
    expect(system).toContain('- voting: Members vote for seven days.\n- joining: Ask the bot.');
    expect(system).toContain('member, contributor');
  });

  it('speaks of no facts where there are none', () => {
    expect(buildMessages(facts({ daoFacts: {} }))[0]?.content).not.toContain('Facts about the DAO');
  });

  it('cuts only the past to the budget, never the prompt', () => {
    const prompt = 'long '.repeat(1_000);
    const messages = buildMessages(facts({ prompt, history: [{ prompt: 'abc', answer: 'def' }], historyTokens: 1 }));
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(messages[1]?.content).toBe(prompt);
  });
});
