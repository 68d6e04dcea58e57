import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import type { Proposal, ShownTally } from '../../../contracts/proposal.js';
import { AppError } from '../../../errors/app-error.js';
import type { ProposalsService } from '../../proposals.service.js';
import type { VotesService } from '../../votes.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { ProposalCards } from './proposal-cards.js';
import { ProposalCommands } from './proposal-commands.js';
import { ProposalPresses } from './proposal-presses.js';

const TAG = tagOf(DAO);
const NAMED = { daoId: DAO, userId: 'tg:12345' };

const aProposal = (changes: Partial<Proposal> = {}): Proposal => ({
  ...{ n: 12, author: 'p_other', title: 'A cold frame', text: 'Buy one.', actions: [], stage: 'open', version: '1' },
  rules: {
    ...{ voting_hours: 72, quorum: 0.5, threshold: 0.5, veto_hours: 0, sealed: false, weights: 'equal' as const },
  },
  ...{ created_at: new Date('2026-11-30T12:00:01Z'), opened_at: null, closes_at: new Date('2026-12-02T12:30:00Z') },
  ...{
    closed_at: null,
    execute_at: null,
    ended_at: null,
    result: null,
    failure: null,
    veto_reason: null,
    review: null,
  },
  ...changes,
});

const TALLY: ShownTally = {
  ...{ total: 3, participated: 1, voters: 1, ballots: 1, quorum_met: false, sealed: false, final: false },
  ...{ yes: 1, no: 0, abstain: 0, threshold_met: true },
};

const VOTE = ['yes', 'no', 'abstain'].map((choice) => `vote:12.${TAG}:${choice}`);

describe('proposals in chats', () => {
  const list = jest.fn<ProposalsService['list']>();
  const get = jest.fn<ProposalsService['get']>();
  const create = jest.fn<ProposalsService['create']>();
  const tally = jest.fn<VotesService['tally']>();
  const ballots = jest.fn<VotesService['ballots']>();
  const cast = jest.fn<VotesService['cast']>();
  const open = jest.fn<ProposalsService['open']>();
  const ask = jest.fn<PendingRepository['ask']>();
  const proposals = strict<ProposalsService>('proposals', { list, get, create, open });
  const votes = strict<VotesService>('votes', { tally, ballots, cast });
  const cards = new ProposalCards(proposals, votes, { zoneOf: () => Promise.resolve('Europe/Lisbon') });
  const commands = new ProposalCommands({ proposals, cards, pending: { ask } });
  const presses = new ProposalPresses({ proposals, votes, cards });
  const page = (...items: Proposal[]) => Promise.resolve({ items, next: null });

  beforeEach(() => {
    jest.resetAllMocks();
    get.mockImplementation((_key, _named, n) => Promise.resolve({ daoId: DAO, proposal: aProposal({ n }) }));
    tally.mockResolvedValue(TALLY);
    ballots.mockResolvedValue({ items: [], next: null });
    ask.mockResolvedValue();
  });

  it('should be listed with their stage, and a button for each', async () => {
    list.mockReturnValue(page(aProposal(), aProposal({ n: 11, title: 'Bees', stage: 'executed' })));
    const told = await commands.handlers.proposals!(anAsked());
    expect(told?.body.text).toBe('Proposals\n\n12. A cold frame — voting is open\n11. Bees — accepted and carried out');
    expect(pressesIn(told)).toEqual([[`say:vote.${TAG}:12`, `say:vote.${TAG}:11`]]);
    list.mockReturnValue(page());
    expect((await commands.handlers.proposals!(anAsked()))?.body.text).toMatch(/There are no proposals yet/);
  });

  it('should be shown with the tally, the own ballot and buttons to vote', async () => {
    ballots.mockResolvedValue({
      items: [{ voter: 'p_me', revision: 2, choice: 'no', commitment: null, cast_at: new Date() }],
      next: null,
    });
    const told = await commands.handlers.vote!(anAsked('#12'));
    expect(told?.body.text).toMatch(/Yes 1 · No 0 · Abstain 0[^]*Your vote: No$/);
    expect(told?.body.text).toContain('Voting closes: 2 Dec 2026, 12:30 (Europe/Lisbon)');
    expect(pressesIn(told)).toEqual([VOTE]);
    expect(ballots).toHaveBeenCalledWith(BOTS_KEY, NAMED, 12, { after: 'p_me:0', limit: 1, changed: false });
  });

  it('should not tell in a group how somebody voted, nor take another’s ballot for the own one', async () => {
    const group = await commands.handlers.vote!(anAsked('12', aTurn('', { kind: 'group' })));
    expect(group?.body.text).not.toContain('our vote');
    expect(group?.body.text).toContain('2 Dec 2026, 12:30 UTC');
    expect(ballots).not.toHaveBeenCalled();
    ballots.mockResolvedValue({
      items: [{ voter: 'p_you', revision: 1, choice: 'yes', commitment: null, cast_at: new Date() }],
      next: null,
    });
    expect((await commands.handlers.vote!(anAsked('12')))?.body.text).toMatch(/You have not voted\.$/);
  });

  it('should ask which one is meant where there are several, and know it where there is one', async () => {
    list.mockReturnValue(page(aProposal(), aProposal({ n: 13, title: 'Bees' })));
    const asked = await commands.handlers.vote!(anAsked());
    expect(asked?.body.text).toBe('Which proposal do you mean (/vote)?');
    expect(pressesIn(asked)).toEqual([[`say:vote.${TAG}:13`], [`say:vote.${TAG}:12`], ['drop:question']]);
    expect(ask).toHaveBeenCalledWith(expect.objectContaining({ id: 'u1' }), DAO, { kind: 'which', command: 'vote' });
    list.mockReturnValue(page(aProposal()));
    expect((await commands.handlers.vote!(anAsked()))?.body.text).toMatch(/^12\. A cold frame/);
    list.mockReturnValue(page());
    expect((await commands.handlers.vote!(anAsked()))?.body.text).toMatch(/no open proposal/);
    expect((await commands.handlers.vote!(anAsked('twelve')))?.body.text).toMatch(/I need the number/);
  });

  it('should be asked for, the title first and then the text', async () => {
    const first = await commands.handlers.propose!(anAsked());
    expect(first?.body.text).toMatch(/What is the title/);
    expect(ask).toHaveBeenLastCalledWith(expect.anything(), DAO, { kind: 'title' });
    const second = await commands.propose(anAsked(' A cold frame '));
    expect(second.body.text).toMatch(/“A cold frame”: good/);
    expect(ask).toHaveBeenLastCalledWith(expect.anything(), DAO, { kind: 'text', title: 'A cold frame' });
    expect(pressesIn(second)).toEqual([['drop:question']]);
    const group = await commands.propose(anAsked('A cold frame', aTurn('', { kind: 'group' })));
    expect(group.body.text).toMatch(/and why\. Please reply to this message\.$/);
    const address = { source: 'dc' as const, chat: '1', topic: '' };
    const discord = await commands.propose(anAsked('A cold frame', aTurn('', { kind: 'group', address })));
    expect(discord.body.text).toMatch(/and why\. Please answer with \/ask\.$/);
    const long = await commands.propose(anAsked('x'.repeat(201)));
    expect(long.body.text).toMatch(/200 characters at most/);
    expect(ask).toHaveBeenLastCalledWith(expect.anything(), DAO, { kind: 'title' });
    expect(create).not.toHaveBeenCalled();
  });

  it('should be drafted, with buttons for its author', async () => {
    const drafted = aProposal({ n: 14, author: 'p_me', stage: 'draft', rules: null, closes_at: null });
    create.mockResolvedValue(drafted);
    get.mockResolvedValue({ daoId: DAO, proposal: drafted });
    const told = await commands.handlers.propose!(anAsked('A cold frame\n\nBuy one.\nSoon.'));
    const draft = { title: 'A cold frame', text: 'Buy one.\nSoon.', actions: [], open: false };
    expect(create).toHaveBeenCalledWith(BOTS_KEY, NAMED, draft);
    expect(told?.body.text).toMatch(/Only you can open it[^]*14\. A cold frame\ndraft/);
    expect(pressesIn(told)).toEqual([[`prop:14.${TAG}:open`, `prop:14.${TAG}:withdraw`], [`say:review.${TAG}:14`]]);
  });

  it('should not be drafted twice where the message is taken up again', async () => {
    const drafted = aProposal({ n: 14, author: 'p_me', stage: 'draft', text: 'Buy one.' });
    const older = { ...drafted, n: 13, created_at: new Date('2026-11-29T12:00:00Z') };
    const others = { ...drafted, n: 15, author: 'p_other' };
    list.mockReturnValue(page(others, drafted, older));
    get.mockImplementation((_key, _named, n) => Promise.resolve({ daoId: DAO, proposal: { ...drafted, n } }));
    const again = aTurn('', { isAgain: true });
    const told = await commands.draft(anAsked('', again), 'A cold frame', 'Buy one.');
    expect(told.body.text).toContain('14. A cold frame');
    expect(create).not.toHaveBeenCalled();
    create.mockResolvedValue(aProposal({ n: 16 }));
    await commands.draft(anAsked('', again), 'A cold frame', 'Buy two.');
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('should count a ballot once for each press, and show how the vote stands then', async () => {
    cast.mockResolvedValue({ voter: 'p_me', revision: 1, choice: 'yes', commitment: null, cast_at: new Date() });
    const pressed = await presses.vote(anAsked('', aTurn('', { id: 'press-1' })), {
      ...{ what: 'vote', n: 12, tag: TAG, choice: 'yes' },
    });
    expect(cast).toHaveBeenCalledWith(BOTS_KEY, NAMED, 12, { choice: 'yes', ballotId: 'press-1' });
    expect(pressed.told).toBe('Your vote counts: Yes. You can change it until the close.');
    expect(pressed.shows?.body.text).toMatch(/Yes 1 · No 0/);
    cast.mockRejectedValue(new AppError('NOT_IN_ELECTORATE'));
    const stranger = presses.vote(anAsked(), { what: 'vote', n: 12, tag: TAG, choice: 'yes' });
    await expect(stranger).rejects.toMatchObject({ code: 'NOT_IN_ELECTORATE' });
  });

  it.each(['VOTING_CLOSED', 'VOTING_NOT_OPEN'] as const)(
    'should show how it ended to whoever votes too late: %s',
    async (code) => {
      cast.mockRejectedValue(new AppError(code));
      get.mockResolvedValue({ daoId: DAO, proposal: aProposal({ n: 12, stage: 'rejected' }) });
      const late = await presses.vote(anAsked(), { what: 'vote', n: 12, tag: TAG, choice: 'yes' });
      expect(late.told).toMatch(new RegExp(`^⚠️ Voting .*\\(${code}\\)$`));
      expect(late.shows?.body.text).toContain('rejected');
      expect(pressesIn(late.shows)).toEqual([]);
    },
  );

  it('should be opened by a press; what cannot be shown afterwards is done all the same', async () => {
    open.mockResolvedValue(aProposal({ n: 14 }));
    get.mockRejectedValue(new AppError('PROPOSAL_NOT_FOUND'));
    const pressed = await presses.act(anAsked('', aTurn(), anActing()), {
      ...{ what: 'prop', n: 14, tag: TAG, act: 'open' },
    });
    expect(open).toHaveBeenCalledWith(BOTS_KEY, NAMED, 14);
    expect(pressed).toEqual({ told: 'Voting on proposal 14 is open.', shows: undefined });
  });
});
