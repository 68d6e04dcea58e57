import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { aRecord } from '../../../../test/factories/requests.js';
import { strict } from '../../../../test/factories/strict.js';
import type { RolesRepository } from '../../../adapters/store/roles.repository.js';
import type { ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import type { ToldGate } from '../../../adapters/store/news-views.repository.js';
import type { SeenGate } from '../../../contracts/crew-view.js';
import { AppError } from '../../../errors/app-error.js';
import type { CrewRunsService } from '../../crew-runs.service.js';
import type { RequestsService } from '../../requests.service.js';
import { BOTS_KEY } from '../turn.js';
import { ReasonCommands } from './reason-commands.js';
import { Refusals } from './refusals.js';
import { StatusCommand } from './status-command.js';

const roles = [
  { name: 'admin', entitlements: ['chat.read', 'chat.write', 'proposal.vote'], version: '1' },
  { name: 'guest', entitlements: ['chat.read'], version: '1' },
  { name: 'member', entitlements: ['chat.read', 'chat.write', 'proposal.vote'], version: '1' },
];
const refusals = new Refusals(strict<RolesRepository>('roles', { page: () => Promise.resolve(roles) }));

describe('why, and for how much', () => {
  const ofMessage = jest.fn<ShownAnswersRepository['ofMessage']>();
  const lastTo = jest.fn<ShownAnswersRepository['lastTo']>();
  const visible = jest.fn<RequestsService['visible']>();
  const { why, cost } = new ReasonCommands({
    answers: strict<ShownAnswersRepository>('answers', { ofMessage, lastTo }),
    requests: strict<RequestsService>('requests', { visible }),
    refusals,
  }).handlers;
  const reply = aTurn('/why', { body: { kind: 'message', text: '/why', replyTo: '77' } });

  beforeEach(() => {
    jest.resetAllMocks();
  });

  it('should be told of the answer that is replied to, from the record alone', async () => {
    ofMessage.mockResolvedValue({ requestId: 'r1', refused: null });
    const record = aRecord({ attempts: [{ provider: 'ollama', status: 'ok', ms: 1_200 }] });
    visible.mockResolvedValue(record);
    const told = await why!(anAsked('', reply));
    expect(ofMessage).toHaveBeenCalledWith(DAO, 'c1', '77');
    expect(visible).toHaveBeenCalledWith(BOTS_KEY, 'r1', { userId: 'tg:12345' });
    expect(told?.body.text).toContain(`Rule: ${record.decision.rule}`);
    expect(told?.body.text).toContain('ollama answered in 1.2 s');
    expect((await cost!(anAsked('', reply)))?.body.text).toMatch(/Tokens: /);
  });

  it('should be told of the last answer where none is replied to, or one that is not known', async () => {
    lastTo.mockResolvedValue({ requestId: 'r2', refused: null });
    visible.mockResolvedValue(aRecord());
    await why!(anAsked());
    ofMessage.mockResolvedValue(undefined);
    await why!(anAsked('', reply));
    expect(visible.mock.calls.map(([, id]) => id)).toEqual(['r2', 'r2']);
    lastTo.mockResolvedValue(undefined);
    expect((await why!(anAsked()))?.body.text).toBe('I have not answered you in this chat yet.');
    ofMessage.mockResolvedValue({ requestId: null, refused: null });
    expect((await cost!(anAsked('', reply)))?.body.text).toMatch(/words of my own/);
  });

  it('should not be told of an answer to somebody else', async () => {
    ofMessage.mockResolvedValue({ requestId: 'r1', refused: null });
    visible.mockRejectedValue(new AppError('REQUEST_NOT_FOUND'));
    expect((await why!(anAsked('', reply)))?.body.text).toMatch(/an answer to somebody else/);
    visible.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    await expect(why!(anAsked('', reply))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('should say what a refused person lacked, who has it, and what would change that', async () => {
    lastTo.mockResolvedValue({
      requestId: null,
      refused: { code: 'RBAC_PERMISSION_DENIED', lacks: 'proposal.vote', requestId: 'r3' },
    });
    const guest = await why!(anAsked('', aTurn('/why', {}, 'uk'), anActing('guest')));
    expect(guest?.body.text.split('\n\n')).toEqual([
      'Вам відмовлено:',
      'Для цього потрібне право, якого ви тут не маєте: голосувати за пропозиції. Його дають ролі: admin, member. Таку роль може надати вам адміністратор DAO.',
      'Ваші ролі: guest',
      'Ви гість: /onboard порадить вам роль, а надасть її адміністратор.',
    ]);
    lastTo.mockResolvedValue({ requestId: null, refused: { code: 'NO_ROUTE', requestId: 'r4' } });
    expect((await why!(anAsked()))?.body.text).toBe(
      'You were refused:\n\n⚠️ No routing rule takes this request. (NO_ROUTE)',
    );
  });

  it('should say that no role has a right, where none has', async () => {
    const words = await refusals.lacking({ daoId: DAO, language: 'en' }, 'audit.read');
    expect(words).toBe(
      'That needs a right that you do not have here: to read the audit. No role of this DAO has it at the moment.',
    );
  });

  it('should keep with a refusal why it was one', async () => {
    const error = new AppError('RBAC_PERMISSION_DENIED', undefined, { required_entitlement: 'chat.write' });
    expect((await refusals.told({ daoId: DAO, language: 'en' }, error, 'r5')).refused).toEqual({
      ...{ code: 'RBAC_PERMISSION_DENIED', lacks: 'chat.write', requestId: 'r5' },
    });
    const other = await refusals.told({ daoId: DAO, language: 'uk' }, new AppError('VOTING_CLOSED'));
    expect(other).toMatchObject({
      body: { text: '⚠️ Голосування вже завершилося; ваш голос не враховано. (VOTING_CLOSED)' },
      refused: { code: 'VOTING_CLOSED' },
    });
  });
});

describe('status', () => {
  const atWork = jest.fn<ShownAnswersRepository['atWork']>();
  const asked = jest.fn<CrewRunsService['asked']>();
  const decide = jest.fn<CrewRunsService['decide']>();
  const command = new StatusCommand({
    answers: strict<ShownAnswersRepository>('answers', { atWork }),
    runs: strict<CrewRunsService>('runs', { asked, decide }),
    views: { gate: () => Promise.resolve(strict<ToldGate>('a gate', { inputs: { name: 'Olena' } })) },
  });
  const { status } = command.handlers;
  const gate = (changes: Partial<SeenGate> = {}): SeenGate =>
    strict<SeenGate>('a gate', {
      ...{ id: 'output.suggest_role.1', kind: 'approval', run_id: 'run-1', crew: 'microdao_onboarding', revision: 1 },
      ...{ ask: 'Give this person the role?', shown: { output: { suggested_role: 'member' } } },
      ...changes,
    });

  beforeEach(() => {
    jest.resetAllMocks();
    atWork.mockResolvedValue({ requests: [], waiting: 0 });
    asked.mockResolvedValue([]);
  });

  it('should tell what is at work, what waits, and what waits for a decision, with buttons', async () => {
    const crew = { id: 'run-2', mode: 'crew' as const, status: 'accepted' as const, crew: 'proposal_review' };
    const chat = { id: 'r1', mode: 'chat' as const, status: 'accepted' as const, crew: null, waitsForPeople: false };
    atWork.mockResolvedValue({ requests: [{ ...crew, waitsForPeople: true }, chat], waiting: 2 });
    const given = { action: { action: 'assign_role', role: 'member', user_id: 'tg:7' } };
    asked.mockResolvedValue([
      gate(),
      gate({ id: 'q', kind: 'question', ask: 'Which budget?', shown: {} }),
      gate({ shown: given }),
    ]);
    const told = await status!(anAsked());
    expect(told?.body.text.split('\n\n')).toEqual([
      'At work for you:\n• a review of the proposal: waits for people to decide\n• an answer: is about to begin',
      '2 messages of yours wait in this chat.',
      'Waits for your decision:',
      '1. getting to know the DAO\nGive this person the role?\nsuggested role: member',
      '2. getting to know the DAO\nWhich budget?\n(needs an answer in words)',
      '3. getting to know the DAO\nGive Olena (tg:7) the role member?',
    ]);
    const [[approve = '', reject = ''] = []] = pressesIn(told);
    expect([approve, reject]).toEqual([
      expect.stringMatching(/^listed:[0-9a-f]{16}:approve$/),
      expect.stringMatching(/^listed:[0-9a-f]{16}:reject$/),
    ]);
    expect(pressesIn(told)).toHaveLength(2);
  });

  it('should tell nothing in a group of what is decided about people', async () => {
    expect((await status!(anAsked('', aTurn('', { kind: 'group' }))))?.body.text).toBe('Nothing is at work for you.');
    expect(asked).not.toHaveBeenCalled();
  });
});
