import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import {
  createProposal,
  listProposals,
  moveProposal,
  putReview,
  showProposal,
  showTally,
  vetoProposal,
  vote,
} from './proposal.js';

const TALLY = { total: 2, participated: 1, voters: 1, ballots: 1, yes: 1, no: 0, abstain: 0, quorum_met: true };
const DRAFT = {
  ...{ n: 7, title: 'A m\u001botto', author: 'p_1', stage: 'draft', version: '1', text: 'Let us have one.' },
  ...{ closes_at: null, execute_at: null, ended_at: null, result: null, rules: null, failure: null, veto_reason: null },
  review: null,
  actions: [{ type: 'set_fact', name: 'motto', value: 'Eat.' }],
};
const ACTING = { dao: 'orchard', as: 'tg:5' };
const WHERE = '?dao_id=orchard&user_id=tg%3A5';

describe('dagi proposal', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset().mockResolvedValue(DRAFT);
  });

  it('list tells what becomes of each, and when', async () => {
    const proposals = [
      { ...DRAFT, n: 12, stage: 'executed', ended_at: 'T3' },
      { ...DRAFT, n: 11, stage: 'passed', closes_at: 'T1', execute_at: 'T2' },
      { ...DRAFT, n: 10, stage: 'open', closes_at: 'T1' },
      DRAFT,
    ];
    json.mockResolvedValue({ ok: true, proposals, next: null });
    const { text } = await listProposals(client, { ...ACTING, stage: 'open', limit: 10 });
    expect(text.split('\n')).toEqual([
      'n   stage     when                       title',
      '12  executed  ended T3                   A motto',
      '11  passed    executes T2 unless vetoed  A motto',
      '10  open      closes T1                  A motto',
      '7   draft                                A motto',
      '',
    ]);
    expect(json).toHaveBeenCalledWith('GET', `/proposals${WHERE}&stage=open&limit=10&after=`, {});
  });

  it('show tells what it says and does', async () => {
    expect((await showProposal(client, '7', ACTING)).text.split('\n')).toEqual([
      'proposal 7: A motto',
      'draft; by p_1, version 1',
      'action 1: set_fact name=motto, value=Eat.',
      '',
      'Let us have one.',
      '',
    ]);
    expect(json).toHaveBeenCalledWith('GET', `/proposals/7${WHERE}`, {});
    await expect(showProposal(client, '..')).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });

  it('show tells how it ended, and why', async () => {
    const ended = { ...DRAFT, stage: 'failed', ended_at: 'T3', rules: { quorum: 0.2, sealed: false }, result: TALLY };
    json.mockResolvedValue({ ...ended, failure: { action: 0, reason: 'ROLE_NOT_FOUND' } });
    const { text } = await showProposal(client, '7');
    expect(text).toContain('failed, ended T3; by p_1, version 1\nfailed: action 1, ROLE_NOT_FOUND\n');
    expect(text).toContain('rules: quorum=0.2, sealed=false\n');
    expect(text).toContain('1 ballot; enough take part');
    json.mockResolvedValue({ ...ended, failure: { reason: 'LAST_ADMIN' }, veto_reason: 'No money.' });
    expect((await showProposal(client, '7')).text).toContain('failed: the actions, LAST_ADMIN\nvetoed: No money.\n');
  });

  it('review lets a draft carry a run, and show tells what it says', async () => {
    const review = { run_id: 'r1', at: 'T1', current: true, result: { recommendation: 'revise' } };
    json.mockResolvedValue({ ...DRAFT, review });
    const { text } = await putReview(client, '7', 'r1', ACTING);
    expect(json).toHaveBeenCalledWith('PATCH', `/proposals/7${WHERE}`, { body: { review: 'r1' } });
    expect(text.split('\n').slice(4)).toEqual([
      ...['Let us have one.', '', 'review of T1, run r1', '', '## Recommendation', '', 'revise', ''],
    ]);
    const found = { findings: 'none', confidence: 0.5, recommendation: 'revise' };
    json.mockResolvedValue({ ...DRAFT, review: { ...review, result: found } });
    expect((await showProposal(client, '7')).text).toMatch(/## Recommendation[^]*## Confidence[^]*## Findings/);
    json.mockResolvedValue({ ...DRAFT, review: { ...review, current: false } });
    expect((await showProposal(client, '7')).text).toContain('review of T1, run r1: of an earlier text\n');
  });

  it('create sends text and actions', async () => {
    const action = ['{"type":"set_fact","name":"motto","value":"Eat."}'];
    await createProposal(client, { ...ACTING, title: 'T', text: 'Let us.', action, open: true });
    const actions = [{ type: 'set_fact', name: 'motto', value: 'Eat.' }];
    expect(json).toHaveBeenLastCalledWith('POST', `/proposals${WHERE}`, {
      body: { title: 'T', text: 'Let us.', actions, open: true },
    });
    const file = join(mkdtempSync(join(tmpdir(), 'dagi-')), 'text.md');
    writeFileSync(file, 'From a file.');
    await createProposal(client, { title: 'T', file });
    expect(json).toHaveBeenLastCalledWith('POST', '/proposals', {
      body: { title: 'T', text: 'From a file.', actions: [], open: false },
    });
  });

  it.each([{}, { text: 'a', file: 'b' }, { file: '/nowhere/at/all' }, { text: 'a', action: ['grant'] }])(
    'create refuses %j before it asks',
    async (options) => {
      await expect(createProposal(client, { title: 'T', ...options })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      });
      expect(json).not.toHaveBeenCalled();
    },
  );

  it('open, withdraw and veto say who acts', async () => {
    await moveProposal(client, '7', 'open', ACTING);
    await moveProposal(client, '7', 'withdraw');
    await vetoProposal(client, '7', { ...ACTING, reason: 'No money.' });
    expect(json.mock.calls).toEqual([
      ['POST', `/proposals/7/open${WHERE}`, {}],
      ['POST', '/proposals/7/withdraw', {}],
      ['POST', `/proposals/7/veto${WHERE}`, { body: { reason: 'No money.' } }],
    ]);
  });

  it('vote tells what counts now, and by what a sealed ballot is known', async () => {
    json.mockResolvedValue({ ok: true, choice: 'no', revision: 2, commitment: null });
    expect((await vote(client, '7', 'no', { ballot: 'b' })).text).toBe('proposal 7: no is cast, ballot 2 of yours\n');
    expect(json).toHaveBeenCalledWith('PUT', '/proposals/7/vote', { body: { choice: 'no', ballot_id: 'b' } });
    json.mockResolvedValue({ ok: true, choice: 'no', revision: 1, commitment: 'c0ffee' });
    expect((await vote(client, '7', 'no')).text).toContain('\nsealed as c0ffee\n');
  });

  it('tally has bars, or says that it is too early', async () => {
    json.mockResolvedValue({ ok: true, tally: TALLY });
    expect((await showTally(client, '7', ACTING)).text).toMatch(/^yes {8}█{15}·{15} {2}1 +50\.0 %$/m);
    json.mockResolvedValue({ ok: true, tally: null });
    expect((await showTally(client, '7')).text).toContain('dagi proposal open 7');
  });

  it.each([
    ['PROPOSAL_STAGE', { stage: 'open' }, 'It is open.'],
    ['VOTING_CLOSED', {}, 'dagi proposal show'],
    ['ACTION_INVALID', { action: 0, reason: 'ROLE_NOT_FOUND' }, 'It is action 1: ROLE_NOT_FOUND.'],
    ['ACTION_INVALID', { reason: 'LAST_ADMIN' }, 'It is all of them: LAST_ADMIN.'],
    ['PROPOSAL_NOT_FOUND', {}, 'dagi proposal list'],
  ])('explains %s %j', async (code, detail, remedy) => {
    json.mockRejectedValue(new CliError(code, 'No.', detail));
    await expect(moveProposal(client, '7', 'open')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(remedy),
    });
  });
});
