import { describe, expect, it } from '@jest/globals';
import type { ShownTally } from '../../contracts/proposal.js';
import { phrasesIn } from './phrases.js';
import { proposalCard } from './proposal-card.js';
import { costOf, duration, reasonsFor, type AnswerFacts } from './reasons.js';
import { bold, code, cut, lines, rich } from './rich.js';
import { shownWords } from './shown-words.js';

const [en, uk] = [phrasesIn('en'), phrasesIn('uk')];

describe('text with marks', () => {
  it('should keep marks where their words are', () => {
    const text = lines([rich(bold('A'), ' b ', code('c')), undefined, bold('D')], '\n\n');
    expect(text.text).toBe('A b c\n\nD');
    expect(text.marks.map(({ kind, at, length }) => [kind, text.text.slice(at, at + length)])).toEqual([
      ['bold', 'A'],
      ['code', 'c'],
      ['bold', 'D'],
    ]);
    expect(bold('').marks).toEqual([]);
  });

  it('should be cut at a word, and never inside a sign', () => {
    expect(cut('one two three', 20)).toBe('one two three');
    expect(cut('one two three', 10)).toBe('one two…');
    expect(cut('😀😀😀😀', 3)).toBe('😀😀…');
  });
});

describe('a proposal in a message', () => {
  const tag = '01234567';
  const proposal = {
    ...{ n: 12, title: 'A cold frame', text: 'Buy a second one.', stage: 'open' as const },
    closes_at: new Date('2026-12-02T12:30:00Z'),
  };
  const tally: ShownTally = {
    ...{ total: 10, participated: 4, voters: 4, ballots: 4, quorum_met: false, sealed: false, final: false },
    ...{ yes: 3, no: 1, abstain: 0, threshold_met: true },
  };

  it('should tell how the vote stands', () => {
    expect(proposalCard({ proposal, tally, tag, own: 'yes' }, en).body.text).toBe(
      [
        '12. A cold frame\nvoting is open',
        'Buy a second one.',
        [
          'Voting closes: 2 Dec 2026, 12:30 UTC',
          'Yes 3 · No 1 · Abstain 0',
          'Took part: 4, with a weight of 4 out of 10; not enough yet',
          'Your vote: Yes',
        ].join('\n'),
      ].join('\n\n'),
    );
  });

  it('should have buttons to vote and say why it is shown while voting goes on, at the time of whoever reads it', () => {
    const card = { proposal, tally, tag, head: 'Look!', timeZone: 'America/New_York' };
    const { body, buttons } = proposalCard(card, en);
    expect(body.text).toMatch(/^Look!\n\n12\. A cold frame[^]*2 Dec 2026, 07:30 \(America\/New_York\)/);
    const choices = ['yes', 'no', 'abstain'];
    expect(buttons.flat().map(({ press }) => press)).toEqual(choices.map((choice) => `vote:12.${tag}:${choice}`));
    const closed = proposalCard({ ...card, proposal: { ...proposal, stage: 'executed' }, own: 'yes' }, uk);
    expect(closed.body.text).toMatch(/^12\. A cold frame\nухвалено й виконано/);
    expect(closed.buttons).toEqual([]);
    expect(closed.body.text).not.toMatch(/Look|голос:|завершиться/);
  });

  it('should tell nothing of sealed ballots but that they are there', () => {
    const { total, participated, voters, ballots, quorum_met } = tally;
    const hidden = { total, participated, voters, ballots, quorum_met, sealed: true, final: false };
    const { text } = proposalCard({ proposal, tally: hidden, tag, own: 'sealed' }, uk).body;
    expect(text).toContain('Голосування таємне до кінця');
    expect(text).toContain('ваш бюлетень запечатано');
    expect(text).not.toMatch(/За \d/);
  });

  it('should be short where the proposal is long, and end with its text where nobody votes', () => {
    const long = { ...proposal, stage: 'draft' as const, text: 'word '.repeat(9_000), closes_at: null };
    const { text } = proposalCard({ proposal: long, tally: null, tag, own: 'none' }, en).body;
    expect(text.length).toBeLessThan(1_600);
    expect(text.endsWith('word…')).toBe(true);
  });
});

describe('how an answer came about', () => {
  const facts: AnswerFacts = {
    decision: { rule: 'members', roles: ['member'] },
    status: 'completed',
    usage: { prompt_tokens: 200, completion_tokens: 120, total_tokens: 320, cost_usd: 0.000412 },
    attempts: [
      { provider: 'ollama', status: 'failed', ms: 3_000, error: 'no answer' },
      { provider: 'spare', status: 'skipped', ms: 0, error: 'QueueFull' },
      { provider: 'openai', status: 'ok', ms: 1_234 },
    ],
    timings: { queue: 400, total: 4_700 },
    origin: { step: 'provider' },
    error: null,
  };

  it('should be told from the record, all of it', () => {
    expect(reasonsFor(facts, en).text.split('\n')).toEqual([
      'How this answer came about',
      'Rule: members',
      'Your roles then: member',
      'Asked:',
      '• ollama failed after 3 s: no answer',
      '• spare was left out: QueueFull',
      '• openai answered in 1.23 s',
      'Waited in the queue: 0.4 s',
      'Took altogether: 4.7 s',
      'From: a model',
      'Tokens: 320 (200 read, 120 written)',
      'Cost: $0.000412',
    ]);
  });

  it('should be told in Ukrainian', () => {
    const text = costOf(facts, uk).text;
    expect(text).toContain('Токени: 320 (прочитано 200, написано 120)');
    expect(text).toContain('openai: відповідь за 1,23 с');
    expect(text).not.toMatch(/answered|Cost/);
  });

  it('should say what is not known, and what was not bought', () => {
    const free = { ...facts, usage: null, attempts: [], timings: {} };
    expect(costOf({ ...free, origin: { step: 'cache', age_ms: 300_000 } }, en).text.split('\n')).toEqual([
      'Tokens: none',
      'No model was asked.',
      'From: an answer to the same question, kept for 5 min',
    ]);
    expect(costOf({ ...free, origin: { step: 'database' } }, en).text).toContain('without a model');
    const priceless = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, estimated: true };
    expect(costOf({ ...facts, usage: priceless }, en).text).toMatch(/estimated\nCost: this model has no price/);
  });

  it.each([
    ['failed', /There was no answer: ⚠️ No model could answer\. \(PROVIDER_FAILED\)/],
    ['cancelled', /It was stopped before its end/],
    ['running', /still being worked on/],
  ] as const)('should say how it ended: %s', (status, expected) => {
    const error = { code: 'PROVIDER_FAILED', message: 'No model could answer.' };
    expect(reasonsFor({ ...facts, status, error }, en).text).toMatch(expected);
  });

  it('should tell long times in minutes', () => {
    expect([duration(12, en), duration(89_000, en), duration(90_000, en), duration(180_000, uk)]).toEqual([
      '0.01 s',
      '89 s',
      '2 min',
      '3 хв',
    ]);
  });
});

describe('what is shown to whoever decides', () => {
  it('should be names and values, in lines, and not too long', () => {
    const shown = { output: { suggested_role: 'member', reasons: ['One.', 'Two.'], confidence: 0.5, nothing: null } };
    expect(shownWords(shown)).toBe('suggested role: member\nreasons:\nOne.\nTwo.\nconfidence: 0.5');
    expect(shownWords({ text: 'word '.repeat(1_000) }).length).toBeLessThanOrEqual(600);
    expect(shownWords({})).toBe('');
  });
});
