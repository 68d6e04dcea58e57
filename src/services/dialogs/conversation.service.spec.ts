import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, aTurn, DAO, pressesIn } from '../../../test/factories/conversation.js';
import { strict } from '../../../test/factories/strict.js';
import type { RouteSubmission } from '../../contracts/request.js';
import type { PendingRepository } from '../../adapters/store/pending.repository.js';
import { AppError } from '../../errors/app-error.js';
import type { Accepted } from '../accepted.js';
import type { GatePresses } from '../news/gate-presses.js';
import type { SubmissionsService } from '../submissions.service.js';
import { said } from './commands/asked.js';
import type { CommandsService } from './commands/commands.service.js';
import type { FeedbackTalk } from './commands/feedback-talk.js';
import type { ProposalCommands } from './commands/proposal-commands.js';
import { Refusals } from './commands/refusals.js';
import { ConversationService } from './conversation.service.js';
import { tagOf } from './tags.js';
import { BOTS_KEY, type Turn } from './turn.js';

const ACCEPTED = { requestId: 'r1' } as Accepted;

describe('a conversation', () => {
  const submit = jest.fn<SubmissionsService['submit']>();
  const run = jest.fn<CommandsService['run']>();
  const follow = jest.fn<CommandsService['follow']>();
  const take = jest.fn<PendingRepository['take']>();
  const setAside = jest.fn<PendingRepository['setAside']>();
  const propose = jest.fn<ProposalCommands['propose']>();
  const draft = jest.fn<ProposalCommands['draft']>();
  const explained = jest.fn<FeedbackTalk['explained']>();
  const answered = jest.fn<GatePresses['answered']>();
  const intentOf = jest.fn<(text: string) => { name: string; args: string } | undefined>();
  let role = 'member';
  const conversation = new ConversationService({
    submissions: strict<SubmissionsService>('submissions', { submit }),
    commands: strict<CommandsService>('commands', {
      ...{ run, follow },
      asked: (turn: Turn, args?: string) => Promise.resolve(anAsked(args, turn, anActing(role))),
    }),
    pending: strict<PendingRepository>('pending', { take, setAside }),
    proposals: strict<ProposalCommands>('proposals', { propose, draft }),
    feedback: strict<FeedbackTalk>('feedback', { explained }),
    gates: strict<GatePresses>('gates', { answered }),
    refusals: new Refusals({ page: () => Promise.resolve([]) }),
    intentOf,
  });
  const text = async (turn: Turn): Promise<string | undefined> => {
    const opened = await conversation.open(turn);
    return opened && 'content' in opened ? opened.content.body.text : undefined;
  };

  beforeEach(() => {
    jest.resetAllMocks();
    role = 'member';
    submit.mockResolvedValue(ACCEPTED);
    run.mockResolvedValue(said('done'));
  });

  it('should ask a model what is no command and means none', async () => {
    expect(await conversation.open(aTurn('How is the DAO?', { revision: 3 }))).toEqual({ accepted: ACCEPTED });
    const submission: RouteSubmission = {
      mode: 'chat',
      ...{ prompt: 'How is the DAO?', daoId: DAO, userId: 'tg:12345', chat: 'c1', source: 'telegram' },
      ...{ agent: undefined, sessionId: undefined, metadata: { source: 'telegram' } },
    };
    expect(submit.mock.lastCall?.slice(0, 2)).toEqual([BOTS_KEY, submission]);
    expect(submit.mock.lastCall?.[2]).toMatchObject({ route: 'dialog', idempotencyKey: 'u1.3' });
    expect(intentOf).toHaveBeenCalledWith('How is the DAO?');
  });

  it('should name the platform as where requests come from', async () => {
    await conversation.open(aTurn('Hi', { address: { source: 'dc', chat: '1', topic: '' }, actor: 'dc:8765' }));
    expect(submit.mock.calls[0]?.[1]).toMatchObject({ source: 'discord', userId: 'dc:8765' });
  });

  it('should take a reply to a question for its answer, or say that it is over', async () => {
    const reply = (replyTo?: string): Turn =>
      aTurn('A cold frame', {
        isAsked: false,
        body: { kind: 'message', text: 'A cold frame', ...(replyTo !== undefined && { replyTo }) },
      });
    take.mockResolvedValueOnce({ kind: 'title' });
    propose.mockResolvedValue(said('good'));
    expect(await text(reply('99'))).toBe('good');
    take.mockResolvedValueOnce('over');
    expect(await text(reply('98'))).toMatch(/^That question is over/);
    expect(submit).not.toHaveBeenCalled();
    await conversation.open(reply());
    expect(take).toHaveBeenCalledTimes(2);
    expect(submit).toHaveBeenCalledTimes(1);
  });

  it('should do commands, and wait no longer for an answer', async () => {
    expect(await text(aTurn('/vote 12'))).toBe('done');
    expect(run).toHaveBeenCalledWith(expect.anything(), { name: 'vote', args: '12' });
    expect(setAside).toHaveBeenCalledWith(expect.objectContaining({ chat: 'c1', actor: 'tg:12345' }), DAO);
    run.mockResolvedValue(undefined);
    expect(await conversation.open(aTurn('/other', { kind: 'group' }))).toBeUndefined();
    expect(take).not.toHaveBeenCalled();
  });

  it('should follow words that mean a command', async () => {
    const command = { name: 'review', args: '12' };
    intentOf.mockReturnValue(command);
    follow.mockResolvedValue(said('shall I?'));
    expect(await text(aTurn('review my proposal 12'))).toBe('shall I?');
    expect(follow).toHaveBeenCalledWith(expect.anything(), command);
    expect(submit).not.toHaveBeenCalled();
  });

  it('should just ask where that was wanted, whatever the words mean', async () => {
    intentOf.mockReturnValue({ name: 'review', args: '' });
    const body = { kind: 'message' as const, text: '/vote 12', isQuestion: true };
    expect(await conversation.open(aTurn('/vote 12', { body }))).toEqual({ accepted: ACCEPTED });
  });

  it('should take answers to what was asked', async () => {
    propose.mockResolvedValue(said('and the text?'));
    draft.mockResolvedValue(said('drafted'));
    explained.mockResolvedValue(said('thanks'));
    take.mockResolvedValueOnce({ kind: 'title' });
    expect(await text(aTurn('A title'))).toBe('and the text?');
    expect(propose).toHaveBeenCalledWith(expect.objectContaining({ args: 'A title' }));
    take.mockResolvedValueOnce({ kind: 'text', title: 'A title' });
    expect(await text(aTurn('The text'))).toBe('drafted');
    expect(draft).toHaveBeenCalledWith(expect.anything(), 'A title', 'The text');
    take.mockResolvedValueOnce({ kind: 'which', command: 'review' });
    expect(await text(aTurn('№ 12'))).toBe('done');
    expect(run).toHaveBeenCalledWith(expect.anything(), { name: 'review', args: '№ 12' });
    take.mockResolvedValueOnce({ kind: 'complaint', requestId: 'r1' });
    expect(await text(aTurn('Wrong price'))).toBe('thanks');
    const gate = { kind: 'gate', runId: 'run-1', gate: 'ask', revision: 1, decision: 'answer' } as const;
    take.mockResolvedValueOnce(gate);
    answered.mockResolvedValueOnce('passed on');
    expect(await text(aTurn('By Friday'))).toBe('passed on');
    expect(answered).toHaveBeenCalledWith(expect.anything(), 'By Friday', gate);
    expect(submit).not.toHaveBeenCalled();
  });

  it('should let a question go that somebody does not want to answer, or answers with something else', async () => {
    take.mockResolvedValueOnce({ kind: 'title' });
    expect(await text(aTurn('скасувати', {}, 'uk'))).toBe('Гаразд, облишмо це.');
    take.mockResolvedValueOnce({ kind: 'which', command: 'review' });
    expect(await conversation.open(aTurn('What is a quorum?'))).toEqual({ accepted: ACCEPTED });
    expect(propose).not.toHaveBeenCalled();
  });

  it('should say that it reads text only', async () => {
    expect(await text(aTurn('', {}, 'uk'))).toBe('Я читаю лише текст: напишіть, що вас цікавить.');
  });

  it('should tell a guest what a guest can do, with an offer to begin, and buy nothing', async () => {
    role = 'guest';
    const detail = { required_entitlement: 'chat.write', roles: ['guest'] };
    submit.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED', undefined, detail));
    const opened = await conversation.open(aTurn('Розкажи про DAO', {}, 'uk'));
    if (!opened || !('content' in opened)) throw new Error('nothing was said');
    expect(opened.content.body.text).toMatch(/^Я помічник DAO «GreenFood DAO»[^]*Ви тут гість/);
    expect(pressesIn(opened.content)).toEqual([[`say:onboard.${tagOf(DAO)}`]]);
    const requestId = submit.mock.calls[0]?.[2].requestId;
    expect(opened.content.refused).toEqual({ code: 'RBAC_PERMISSION_DENIED', lacks: 'chat.write', requestId });
    expect(submit).toHaveBeenCalledTimes(1);
  });

  it('should tell whoever is no guest what they lack', async () => {
    const detail = { required_entitlement: 'chat.write', roles: ['reader'] };
    submit.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED', undefined, detail));
    expect(await text(aTurn('Tell me'))).toMatch(/^That needs a right that you do not have here: to ask the assistant/);
    run.mockRejectedValue(
      new AppError('RBAC_PERMISSION_DENIED', undefined, { required_entitlement: 'proposal.create' }),
    );
    role = 'guest';
    expect(await text(aTurn('/propose'))).toMatch(/to make proposals/);
  });

  it('should tell other refusals in the person’s language, and leave what is away to be tried again', async () => {
    submit.mockRejectedValue(new AppError('BUDGET_EXHAUSTED'));
    expect(await text(aTurn('Привіт', {}, 'uk'))).toBe('⚠️ Токени на цей місяць вичерпано. (BUDGET_EXHAUSTED)');
    submit.mockRejectedValue(new AppError('RATE_LIMITED', 'no', {}, { retryAfterSeconds: 37 }));
    expect(await text(aTurn('Hi'))).toMatch(/This DAO .* ask again in 37 seconds\./);
    for (const code of ['STORE_UNAVAILABLE', 'TEMPORAL_UNAVAILABLE', 'SHUTTING_DOWN'] as const) {
      submit.mockRejectedValue(new AppError(code));
      await expect(conversation.open(aTurn('Hi'))).rejects.toMatchObject({ code });
    }
    submit.mockRejectedValue(new TypeError('a mistake'));
    await expect(conversation.open(aTurn('Hi'))).rejects.toThrow('a mistake');
  });
});
