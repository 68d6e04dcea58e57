import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cacheKeyText, type CacheFacts } from './cache-key.js';

const facts = (changes: Partial<CacheFacts> = {}, decision: Partial<CacheFacts['decision']> = {}): CacheFacts => ({
  daoId: 'greenfood-dao',
  daoName: 'GreenFood DAO',
  daoFacts: { voting: 'Seven days.', purpose: 'Food.' },
  prompt: 'How long is a vote?',
  ...changes,
  decision: {
    roles: ['member', 'contributor'],
    entitlements: ['chat.read', 'chat.write'],
    rule: 'facts',
    configHash: 'h1',
    chain: [{ provider: 'ollama' }, { provider: 'cloud' }],
    ...decision,
  },
});
const KEY = cacheKeyText(facts());

describe('the key of a kept answer', () => {
  it.each<[string, CacheFacts]>([
    ['another DAO', facts({ daoId: 'other-dao' })],
    ['another name of the DAO', facts({ daoName: 'Green Food' })],
    ['another fact', facts({ daoFacts: { voting: 'Eight days.', purpose: 'Food.' } })],
    ['another name of a fact', facts({ daoFacts: { votes: 'Seven days.', purpose: 'Food.' } })],
    ['one fact less', facts({ daoFacts: { voting: 'Seven days.' } })],
    ['another role', facts({}, { roles: ['member'] })],
    ['another right', facts({}, { entitlements: ['chat.read'] })],
    ['another configuration', facts({}, { configHash: 'h2' })],
    ['another rule', facts({}, { rule: 'chat' })],
    ['another provider, chosen by whoever asks', facts({}, { chain: [{ provider: 'cloud' }] })],
    ['the same providers in another order', facts({}, { chain: [{ provider: 'cloud' }, { provider: 'ollama' }] })],
    ['another question', facts({ prompt: 'How long is a proposal?' })],
    ['other letters', facts({ prompt: 'how long is a vote?' })],
  ])('is another one for %s', (_what, other) => {
    expect(cacheKeyText(other)).not.toBe(KEY);
  });

  it('is the same whatever the order of roles, rights and facts, and however much space is in the question', () => {
    const roles = ['contributor', 'member', 'member'];
    const entitlements = ['chat.write', 'chat.read'];
    const daoFacts = { purpose: 'Food.', voting: 'Seven days.' };
    const prompt = '  How\tlong \n is a\u00a0vote? ';
    expect(cacheKeyText(facts({ daoFacts, prompt }, { roles, entitlements }))).toBe(KEY);
  });

  it('is shared by nobody of another DAO, role, right or fact, whatever they are called', () => {
    const word = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('', '"', '","', '[]', 'a,b'));
    const some = fc.record({
      daoId: word,
      daoName: word,
      daoFacts: fc.dictionary(word, word, { maxKeys: 3 }),
      prompt: word,
      decision: fc.record({
        roles: fc.uniqueArray(word, { maxLength: 3 }),
        entitlements: fc.uniqueArray(word, { maxLength: 3 }),
        rule: word,
        configHash: word,
        chain: fc.array(fc.record({ provider: word }), { maxLength: 3 }),
      }),
    });
    const sorted = (list: readonly string[]): string[] => [...list].sort();
    const meaning = ({ daoFacts, prompt, decision, ...rest }: CacheFacts): object => ({
      ...rest,
      facts: sorted(Object.entries(daoFacts).map((one) => JSON.stringify(one))),
      prompt: prompt.trim().replace(/\s+/g, ' '),
      decision: { ...decision, roles: sorted(decision.roles), entitlements: sorted(decision.entitlements) },
    });
    fc.assert(
      fc.property(some, some, (one, other) => {
        const same = JSON.stringify(meaning(one)) === JSON.stringify(meaning(other));
        expect(cacheKeyText(one) === cacheKeyText(other)).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});
