import { describe, expect, it } from '@jest/globals';
import { reviewOf, type ReviewRun } from './proposal-review.js';

const PROPOSAL = { n: 3, title: 'A frame', text: 'Let us buy one.' };
const read = (proposal: object, n = 3): ReviewRun['steps'][number] => ({
  input: { tool: 'dao_proposals', params: { n } },
  output: { result: { proposal } },
});
const asked: ReviewRun['steps'][number] = {
  input: { kind: 'chat', messages: [], options: { maxTokens: 9 } },
  output: { text: 'Well.' },
};
const run = (changes: Partial<ReviewRun> = {}): ReviewRun => ({
  ...{ run_id: 'r1', crew: 'proposal_review', version: 'v', inputs: { n: 3 } },
  ...{ ended_at: new Date('2026-01-01T00:00:00Z'), result: { result: { recommendation: 'approve' }, agents: {} } },
  ...{ steps: [asked, read(PROPOSAL)], tasks: [{ reused_from: null }] },
  ...changes,
});
const REVIEW = { run_id: 'r1', version: 'v', at: '2026-01-01T00:00:00.000Z', result: { recommendation: 'approve' } };

describe(reviewOf.name, () => {
  it.each<[string, Partial<ReviewRun>, boolean]>([
    ['the same', {}, true],
    ['another title', { steps: [read({ ...PROPOSAL, title: 'Two frames' })] }, false],
    ['another text', { steps: [read({ ...PROPOSAL, text: 'Let us buy two.' })] }, false],
    ['the same as others read, too', { steps: [read(PROPOSAL), asked, read(PROPOSAL)] }, true],
    ['another, as others read', { steps: [read(PROPOSAL), read({ ...PROPOSAL, text: 'Let us buy two.' })] }, false],
    ['whatever an earlier run did whose outputs it took over', { tasks: [{ reused_from: 'r0' }] }, false],
    [
      'the same as a text, as the earlier run did',
      { inputs: { text: PROPOSAL.text }, tasks: [{ reused_from: 'r0' }] },
      true,
    ],
    ['the same as a text', { inputs: { text: ' Let us buy one.\n' }, steps: [] }, true],
    ['another as a text', { inputs: { text: 'Let us sell it.' }, steps: [] }, false],
  ])('should tell whether the run read what the proposal says: %s', (_name, changes, current) =>
    expect(reviewOf(run(changes), PROPOSAL)).toEqual({ ...REVIEW, current }),
  );

  it('should be of a text where the proposal has no number yet', () => {
    const draft = { title: PROPOSAL.title, text: PROPOSAL.text };
    expect(reviewOf(run({ inputs: { text: draft.text } }), draft)).toEqual({ ...REVIEW, current: true });
    expect(() => reviewOf(run(), draft)).toThrow(
      expect.objectContaining({ code: 'REVIEW_INVALID', detail: { reason: 'it did not read a text' } }),
    );
  });

  it.each<[string, Partial<ReviewRun>, string]>([
    ['another crew', { crew: 'code_review' }, 'it is a run of the crew code_review, not of proposal_review'],
    ['one that goes on', { ended_at: null, result: null }, 'it has not come to a result'],
    ['one that failed', { result: null }, 'it has not come to a result'],
    ['another proposal', { steps: [read(PROPOSAL, 4)] }, 'it did not read this proposal'],
    [
      'one that read nothing',
      { steps: [{ input: { tool: 'dao_proposals', params: { n: 3 } }, output: null }] },
      'it did not read this proposal',
    ],
  ])('should refuse the run of %s', (_name, changes, reason) =>
    expect(() => reviewOf(run(changes), PROPOSAL)).toThrow(
      expect.objectContaining({ code: 'REVIEW_INVALID', detail: { reason } }),
    ),
  );
});
