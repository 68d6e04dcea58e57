import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { RunChatsRepository } from '../../../adapters/store/run-chats.repository.js';
import type { ProposalSummary } from '../../../contracts/proposal.js';
import { AppError } from '../../../errors/app-error.js';
import type { Accepted } from '../../accepted.js';
import type { ProposalsService } from '../../proposals.service.js';
import type { SubmissionsService } from '../../submissions.service.js';
import { BOTS_KEY } from '../turn.js';
import { said } from './asked.js';
import { CrewCommands } from './crew-commands.js';
import type { ProposalCommands } from './proposal-commands.js';

const summary = (n: number, author: string, stage: ProposalSummary['stage']): ProposalSummary =>
  ({ n, author, stage, title: `Title ${n}` }) as ProposalSummary;

describe('crews from chats', () => {
  const submit = jest.fn<SubmissionsService['submit']>();
  const get = jest.fn<ProposalsService['get']>();
  const add = jest.fn<RunChatsRepository['add']>();
  const make = jest.fn<OffersRepository['make']>();
  const which = jest.fn<ProposalCommands['which']>();
  const ofStage = jest.fn<ProposalCommands['ofStage']>();
  const crews = new CrewCommands({
    submissions: strict<SubmissionsService>('submissions', { submit }),
    proposals: strict<ProposalsService>('proposals', { get }),
    runChats: strict<RunChatsRepository>('run chats', { add }),
    offers: strict<OffersRepository>('offers', { make }),
    talk: strict<ProposalCommands>('proposals', { which, ofStage }),
  });
  const { review, onboard, decompose, code_review: codeReview } = crews.handlers;

  beforeEach(() => {
    jest.resetAllMocks();
    submit.mockResolvedValue(strict<Accepted>('accepted', { requestId: 'run-1' }));
    add.mockResolvedValue();
    make.mockImplementation(({ id }) => Promise.resolve(id));
    const proposal = strict('a proposal', { n: 12, title: 'A cold frame' });
    get.mockResolvedValue({ daoId: DAO, proposal: proposal as never });
  });

  it('should begin as a request in the name of whoever asks, once for a message, and be told of in the chat', async () => {
    const turn = aTurn('/review 12', { revision: 2 }, 'uk');
    const told = await review!(anAsked('12', turn));
    const inputs = { n: 12 };
    expect(submit).toHaveBeenCalledWith(
      BOTS_KEY,
      expect.objectContaining({
        ...{ mode: 'crew', prompt: '', daoId: DAO, userId: 'tg:12345', chat: 'c1', source: 'telegram' },
        ...{ crew: { id: 'proposal_review', inputs } },
        metadata: { workflow: 'proposal_review', inputs, source: 'telegram' },
      }),
      expect.objectContaining({ route: 'dialog', idempotencyKey: 'u1.2' }),
    );
    expect(add).toHaveBeenCalledWith({
      ...{ runId: 'run-1', daoId: DAO, chat: 'c1', actor: 'tg:12345', messageId: '100', language: 'uk' },
    });
    expect(told?.body.text).toBe('Розпочато: розгляд пропозиції. Результат надішлю в цей чат.');
    expect(pressesIn(told)).toEqual([['stop:run-1']]);
  });

  it('should be given what was said, and the name of whoever is introduced', async () => {
    const update = { body: { kind: 'message' as const, text: '', name: 'Olena' } };
    await onboard!(anAsked('I grow tomatoes', aTurn('', update), anActing('guest')));
    expect(submit).toHaveBeenLastCalledWith(
      BOTS_KEY,
      expect.objectContaining({
        prompt: 'I grow tomatoes',
        crew: { id: 'microdao_onboarding', inputs: { name: 'Olena' } },
      }),
      expect.anything(),
    );
    await decompose!(anAsked('prepare the festival'));
    await codeReview!(anAsked('src/a.js'));
    expect(submit.mock.calls.slice(1).map(([, body]) => [body.crew?.id, body.prompt])).toEqual([
      ['task_decomposition', 'prepare the festival'],
      ['code_review', 'src/a.js'],
    ]);
  });

  it('should say what is missing, and begin nothing', async () => {
    expect((await decompose!(anAsked()))?.body.text).toMatch(/Say which task.* \/decompose/);
    expect((await codeReview!(anAsked('', aTurn('', {}, 'uk'))))?.body.text).toMatch(
      /який файл чи теку.*\/code_review/,
    );
    expect((await review!(anAsked('twelve')))?.body.text).toMatch(/I need the number/);
    get.mockRejectedValue(new AppError('PROPOSAL_NOT_FOUND'));
    await expect(review!(anAsked('99'))).rejects.toMatchObject({ code: 'PROPOSAL_NOT_FOUND' });
    expect(submit).not.toHaveBeenCalled();
  });

  it('should be about one’s own proposal where none is named', async () => {
    const own = [summary(14, 'p_me', 'draft'), summary(12, 'p_me', 'open')];
    ofStage.mockResolvedValue([...own, summary(13, 'p_other', 'open')]);
    which.mockResolvedValue({ reply: said('which?') });
    expect((await review!(anAsked()))?.body.text).toBe('which?');
    expect(which).toHaveBeenCalledWith(expect.anything(), 'review', own);
    const open = summary(13, 'p_other', 'open');
    ofStage.mockResolvedValue([summary(15, 'p_other', 'draft'), open]);
    which.mockResolvedValue({ n: 13 });
    await review!(anAsked());
    expect(which).toHaveBeenLastCalledWith(expect.anything(), 'review', [open]);
    expect(submit).toHaveBeenCalledTimes(1);
  });

  it('should be offered with one tap, and with a way to be just answered', async () => {
    const turn = aTurn('review my proposal 12');
    const told = await crews.offer(anAsked('12', turn), 'review');
    expect(told.body.text).toBe('Shall I begin: a review of the proposal (12. A cold frame)?');
    expect(pressesIn(told)).toEqual([['offer:u1:yes', 'offer:u1:no', 'offer:u1:ask']]);
    const offered = { command: 'review', args: '12', said: 'review my proposal 12' };
    expect(make).toHaveBeenCalledWith(turn.update, DAO, offered);
    await crews.offer(anAsked('prepare the festival', turn), 'decompose');
    expect(make).toHaveBeenLastCalledWith(turn.update, DAO, expect.objectContaining({ args: 'prepare the festival' }));
    expect(submit).not.toHaveBeenCalled();
  });
});
