import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anAsked, anUpdate, DAO } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { InboxRepository } from '../../../adapters/store/inbox.repository.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import { AppError } from '../../../errors/app-error.js';
import type { GatePresses } from '../../news/gate-presses.js';
import type { RequestsService } from '../../requests.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { said } from './asked.js';
import type { DaoCommands } from './dao-commands.js';
import type { FeedbackTalk } from './feedback-talk.js';
import { PressesService } from './presses.service.js';
import type { ProposalPresses } from './proposal-presses.js';
import type { StatusCommand } from './status-command.js';

const TAG = tagOf(DAO);
const OTHER = tagOf('bees');
const GONE = 'This button does not work any more.';

describe('presses', () => {
  const say = jest.fn<InboxRepository['say']>();
  const take = jest.fn<OffersRepository['take']>();
  const drop = jest.fn<PendingRepository['drop']>();
  const setAside = jest.fn<PendingRepository['setAside']>();
  const show = jest.fn<StatusCommand['show']>();
  const cancel = jest.fn<RequestsService['cancel']>();
  const choose = jest.fn<DaoCommands['choose']>();
  const vote = jest.fn<ProposalPresses['vote']>();
  const act = jest.fn<ProposalPresses['act']>();
  const decide = jest.fn<GatePresses['press']>();
  const [mark, react, complain] = [
    jest.fn<FeedbackTalk['press']>(),
    jest.fn<FeedbackTalk['react']>(),
    jest.fn<FeedbackTalk['complain']>(),
  ];
  const service = new PressesService({
    inbox: strict<InboxRepository>('inbox', { say }),
    offers: strict<OffersRepository>('offers', { take }),
    pending: strict<PendingRepository>('pending', { drop, setAside }),
    status: { show },
    requests: strict<RequestsService>('requests', { cancel }),
    commands: { asked: (turn, args?: string) => Promise.resolve(anAsked(args, turn)) },
    daos: { choose },
    proposals: { vote, act },
    gates: { press: decide },
    feedback: { press: mark, react, complain },
    refusals: { told: (_to, { code }) => Promise.resolve(said(`no: ${code} ${'x'.repeat(300)}`)) },
  });
  const offer = { id: 'o1', command: 'review', args: '12', said: 'review my proposal 12' };

  beforeEach(() => {
    jest.resetAllMocks();
    take.mockResolvedValue({ offer });
    drop.mockResolvedValue(false);
    say.mockResolvedValue(true);
  });

  it.each(['', 'nonsense', 'vote:12:yes', `vote:0.${TAG}:yes`, 'offer:o1:perhaps'])(
    'should be told kindly of where they mean nothing: %j',
    async (data) => {
      expect(await service.press(anUpdate(), data)).toEqual({ told: GONE });
      expect(await service.press(anUpdate({ speaks: 'uk' }), data)).toEqual({ told: 'Ця кнопка вже не діє.' });
    },
  );

  it('should do nothing in a chat of no DAO', async () => {
    expect(await service.press(anUpdate({ daoId: null }), 'drop:question')).toEqual({ told: GONE });
    expect(await service.react(anUpdate({ daoId: null }), ['👍'])).toBeUndefined();
    expect(await service.stopped(anUpdate({ daoId: null }), 0)).toBeUndefined();
  });

  it('should not do in another DAO what they were shown for in one', async () => {
    for (const data of [`vote:12.${OTHER}:yes`, `prop:12.${OTHER}:open`, `say:review.${OTHER}:12`]) {
      expect((await service.press(anUpdate(), data)).told).toMatch(/belongs to another DAO/);
    }
  });

  it('should go where they belong, as whoever presses', async () => {
    const update = anUpdate({ actor: 'tg:222' });
    vote.mockResolvedValue({ told: 'voted' });
    act.mockResolvedValue({ told: 'opened' });
    decide.mockResolvedValue('approved');
    choose.mockResolvedValue({ told: 'chosen' });
    mark.mockResolvedValue({ told: 'thanks' });
    complain.mockResolvedValue({ told: 'noted' });
    const told = [];
    for (const data of [
      ...[`vote:12.${TAG}:no`, `prop:12.${TAG}:withdraw`, `gate:${'0'.repeat(16)}:reject`, `dao:${'1'.repeat(16)}`],
      ...['bad:r1', 'wrong:r1:long'],
    ]) {
      told.push((await service.press(update, data)).told);
    }
    expect(told).toEqual(['voted', 'opened', 'approved', 'chosen', 'thanks', 'noted']);
    const press = { what: 'vote', n: 12, tag: TAG, choice: 'no' } as const;
    expect(vote).toHaveBeenCalledWith(expect.objectContaining({ turn: expect.objectContaining({ update }) }), press);
  });

  it('should show what still waits, where one of several was decided', async () => {
    decide.mockResolvedValue('approved');
    show.mockResolvedValue(said('nothing waits'));
    const pressed = await service.press(anUpdate(), `listed:${'0'.repeat(16)}:approve`);
    expect(pressed).toEqual({ told: 'approved', shows: said('nothing waits') });
    expect(decide.mock.lastCall?.[1]).toMatchObject({ tag: '0'.repeat(16), act: 'approve' });
  });

  it('should have the person say a command, in their turn', async () => {
    expect(await service.press(anUpdate(), `say:review.${TAG}:12`)).toEqual({ wakesTurns: true });
    expect(say).toHaveBeenCalledWith(anUpdate(), DAO, { kind: 'message', text: '/review 12' }, 5);
    await service.press(anUpdate(), `say:onboard.${TAG}`);
    expect(say).toHaveBeenLastCalledWith(anUpdate(), DAO, { kind: 'message', text: '/onboard' }, 5);
    say.mockResolvedValue(false);
    const full = await service.press(anUpdate(), `say:onboard.${TAG}`);
    expect(full.told).toContain('Too many messages');
    expect(full.wakesTurns).toBeUndefined();
    expect(setAside).toHaveBeenCalledTimes(3);
    expect(drop).not.toHaveBeenCalled();
  });

  it('should take an offer up, ask the model instead, or turn it down', async () => {
    const yes = await service.press(anUpdate(), 'offer:o1:yes');
    expect(yes).toMatchObject({ told: 'All right, I begin.', wakesTurns: true });
    expect(yes.shows?.buttons).toEqual([]);
    expect(take).toHaveBeenCalledWith('o1', anUpdate(), DAO);
    expect(say).toHaveBeenLastCalledWith(anUpdate(), DAO, { kind: 'message', text: '/review 12' });
    await service.press(anUpdate(), 'offer:o1:ask');
    const question = { kind: 'message', text: 'review my proposal 12', isQuestion: true } as const;
    expect(say).toHaveBeenLastCalledWith(anUpdate(), DAO, question);
    const no = await service.press(anUpdate(), 'offer:o1:no');
    expect(no).toMatchObject({ told: 'All right, I will not.' });
    expect(no.wakesTurns).toBeUndefined();
    expect(say).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['gone', GONE],
    ['taken', 'This was done already.'],
    ['others', 'This is for somebody else to decide.'],
  ] as const)('should take no offer up that is %s', async (problem, told) => {
    take.mockResolvedValue({ problem });
    expect(await service.press(anUpdate(), 'offer:o1:yes')).toEqual({ told });
    expect(say).not.toHaveBeenCalled();
  });

  it('should stop a run with the rights of whoever presses', async () => {
    cancel.mockResolvedValue(strict('a request', {}));
    expect((await service.press(anUpdate(), 'stop:run-1')).told).toBe('Cancelled.');
    expect(cancel).toHaveBeenCalledWith(BOTS_KEY, 'run-1', { userId: 'tg:12345' });
  });

  it('should take a question back', async () => {
    expect(await service.press(anUpdate(), 'drop:question')).toEqual({ told: GONE });
    drop.mockResolvedValue(true);
    expect((await service.press(anUpdate(), 'drop:question')).shows?.body.text).toBe('All right, never mind.');
  });

  it('should tell a refusal in few words, and leave what is away to be tried again', async () => {
    vote.mockRejectedValue(new AppError('VOTING_CLOSED'));
    const { told } = await service.press(anUpdate(), `vote:12.${TAG}:yes`);
    expect(told).toMatch(/^no: VOTING_CLOSED/);
    expect(told).toHaveLength(200);
    vote.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    await expect(service.press(anUpdate(), `vote:12.${TAG}:yes`)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    react.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED'));
    expect(await service.react(anUpdate(), ['👍'])).toBeUndefined();
    react.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    await expect(service.react(anUpdate(), ['👍'])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('should say so where there was nothing to stop', async () => {
    expect((await service.stopped(anUpdate(), 0))?.body.text).toMatch(/^There is nothing to stop/);
    expect(await service.stopped(anUpdate(), 1)).toBeUndefined();
    drop.mockResolvedValue(true);
    expect((await service.stopped(anUpdate(), 0))?.body.text).toBe('All right, never mind.');
  });
});
