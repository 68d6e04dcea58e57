import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, anUpdate, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { ChatsRepository } from '../../../adapters/store/chats.repository.js';
import type { DaosRepository } from '../../../adapters/store/daos.repository.js';
import type { InboxRepository } from '../../../adapters/store/inbox.repository.js';
import type { SeenGate } from '../../../contracts/crew-view.js';
import type { Dao } from '../../../contracts/dao.js';
import { phrasesIn } from '../../../domain/dialog/phrases.js';
import { AppError } from '../../../errors/app-error.js';
import type { AccessService } from '../../access.service.js';
import type { ChangesService } from '../../changes.service.js';
import type { CrewRunsService } from '../../crew-runs.service.js';
import type { InvitationsService } from '../../invitations.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { DaoCommands, type DaoCommandsParts } from './dao-commands.js';
import { StartCommand } from './start-command.js';

const OWN = { id: DAO, name: 'GreenFood DAO' };
const BEES = { id: 'bees', name: 'Bees' };
const GROUP = { kind: 'group' as const };

describe('DAOs in chats', () => {
  const daosOf = jest.fn<ChatsRepository['daosOf']>();
  const spaceOf = jest.fn<ChatsRepository['spaceOf']>();
  const choose = jest.fn<ChatsRepository['choose']>();
  const find = jest.fn<DaosRepository['find']>();
  const resolve = jest.fn<AccessService['resolve']>();
  const require = jest.fn<AccessService['require']>();
  const rules = jest.fn<DaoCommandsParts['rules']>();
  const within = jest.fn<(acting: unknown, change: unknown) => Promise<unknown>>();
  const chats = strict<ChatsRepository>('chats', { daosOf, spaceOf, choose });
  const daos = strict<DaosRepository>('daos', { find });
  const commands = new DaoCommands({
    ...{ chats, daos, rules, access: strict<AccessService>('access', { resolve, require }) },
    changes: strict<ChangesService>('changes', { within: within as ChangesService['within'] }),
  });
  const { dao, link } = commands.handlers;

  beforeEach(() => {
    jest.resetAllMocks();
    find.mockResolvedValue(strict<Dao>('a DAO', { name: 'Bees', facts: { purpose: 'Honey.' } }));
    daosOf.mockResolvedValue([OWN, BEES]);
    choose.mockResolvedValue();
    spaceOf.mockResolvedValue('-100');
    rules.mockResolvedValue(true);
  });

  it('should be told of, with a button for each other one of the person', async () => {
    const told = await dao!(anAsked('', aTurn('/dao', {}, 'uk')));
    expect(told?.body.text).toMatch(/^GreenFood DAO \(greenfood-dao\)\nЩо про неї відомо:\n- Мета: Honey\./);
    expect(pressesIn(told)).toEqual([[`dao:${tagOf('bees', 16)}`]]);
    const group = await dao!(anAsked('', aTurn('/dao', GROUP)));
    expect(pressesIn(group)).toEqual([]);
  });

  it('should be chosen in a private chat, by id or name, among those of the person', async () => {
    expect((await dao!(anAsked('BEES')))?.body.text).toBe('From now on this chat is about Bees.');
    expect(choose).toHaveBeenCalledWith('c1', 'bees');
    expect((await dao!(anAsked('wasps')))?.body.text).toMatch(/“wasps” is none/);
    expect((await dao!(anAsked('bees', aTurn('', GROUP))))?.body.text).toMatch(/set by its admin/);
    daosOf.mockResolvedValue([]);
    expect((await dao!(anAsked('bees')))?.body.text).toMatch(/not a member of any DAO/);
    expect(choose).toHaveBeenCalledTimes(1);
  });

  it('should be chosen by a button, for as long as the person is a member', async () => {
    const phrases = phrasesIn('en');
    const pressed = await commands.choose(anUpdate(), tagOf('bees', 16), phrases);
    expect(pressed.told).toBe('From now on this chat is about Bees.');
    daosOf.mockResolvedValue([OWN]);
    expect(await commands.choose(anUpdate(), tagOf('bees', 16), phrases)).toEqual({ told: phrases.gone });
    expect(choose).toHaveBeenCalledTimes(1);
  });

  it('should be given a group by an admin of theirs alone', async () => {
    const group = aTurn('/link', GROUP);
    resolve.mockImplementation((_key, { daoId }) => Promise.resolve(anActing(daoId === 'bees' ? 'admin' : 'member')));
    require.mockResolvedValue(anActing('admin'));
    within.mockResolvedValueOnce('linked').mockResolvedValueOnce('already').mockResolvedValueOnce('others');
    expect((await link!(anAsked('', group)))?.body.text).toBe('Done: this group belongs to Bees from now on.');
    expect(require).toHaveBeenCalledWith(BOTS_KEY, { daoId: 'bees', userId: 'tg:12345' }, 'config.update');
    expect((await link!(anAsked('bees', group)))?.body.text).toMatch(/belongs to Bees already/);
    expect((await link!(anAsked('bees', group)))?.body.text).toMatch(/belongs to another DAO/);
    expect((await link!(anAsked('wasps', group)))?.body.text).toBe(
      'That is none of the DAOs that you are a member of.',
    );
    require.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED'));
    await expect(link!(anAsked(DAO, group))).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    resolve.mockResolvedValue(anActing('member'));
    await expect(link!(anAsked('', group))).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    resolve.mockResolvedValue(anActing('admin'));
    expect((await link!(anAsked('', group)))?.body.text).toMatch(/one of: greenfood-dao, bees/);
    daosOf.mockResolvedValue([]);
    expect((await link!(anAsked('', group)))?.body.text).toMatch(/not a member of a DAO/);
    expect(within).toHaveBeenCalledTimes(3);
  });

  it('should be given no group by an admin of theirs who does not rule the group', async () => {
    rules.mockResolvedValue(false);
    daosOf.mockResolvedValue([BEES]);
    resolve.mockResolvedValue(anActing('admin'));
    require.mockResolvedValue(anActing('admin'));
    expect((await link!(anAsked('', aTurn('/link', GROUP))))?.body.text).toMatch(/Only an administrator of this group/);
    expect(within).not.toHaveBeenCalled();
  });

  it('should be taken a group again by the word off', async () => {
    require.mockResolvedValue(anActing('admin'));
    within.mockResolvedValueOnce(true).mockResolvedValueOnce(false);
    const group = aTurn('/link off', GROUP);
    expect((await link!(anAsked('off', group)))?.body.text).toMatch(/does not belong to GreenFood DAO any more/);
    expect((await link!(anAsked('off', group)))?.body.text).toMatch(/does not belong to that DAO/);
    expect(require).toHaveBeenCalledWith(BOTS_KEY, { daoId: DAO, userId: 'tg:12345' }, 'config.update');
  });
});

describe('the start of a chat', () => {
  const redeem = jest.fn<InvitationsService['redeem']>();
  const choose = jest.fn<ChatsRepository['choose']>(() => Promise.resolve());
  const reword = jest.fn<InboxRepository['reword']>(() => Promise.resolve());
  const asked = jest.fn<CrewRunsService['asked']>();
  const daos = { find: () => Promise.resolve(strict<Dao>('a DAO', { name: 'Bees' })) };
  const { start } = new StartCommand({
    invitations: strict<InvitationsService>('invitations', { redeem }),
    ...{ chats: { choose }, daos, inbox: strict<InboxRepository>('inbox', { reword }) },
    runs: { asked },
  }).handlers;

  beforeEach(() => {
    asked.mockResolvedValue([]);
  });

  it('should greet, and offer a guest to get to know the DAO', async () => {
    const body = { kind: 'message' as const, text: '/start', name: 'Олена' };
    const guest = await start!(anAsked('', aTurn('/start', { body }, 'uk'), anActing('guest')));
    expect(guest?.body.text).toMatch(/^Вітаю, Олена! Я помічник DAO «GreenFood DAO»\. Поки що ви тут гість/);
    expect(pressesIn(guest)).toEqual([[`say:onboard.${tagOf(DAO)}`, `say:help.${tagOf(DAO)}`]]);
    const member = await start!(anAsked('', aTurn('/start')));
    expect(member?.body.text).toMatch(/^Hello! I am the assistant of GreenFood DAO\. Ask me anything/);
  });

  it('should tell a member in private what waits for them', async () => {
    asked.mockResolvedValue([{} as SeenGate, {} as SeenGate]);
    const told = await start!(anAsked('', aTurn('/start')));
    expect(told?.body.text).toMatch(/\n\nWaiting for your decision: 2\. See \/status\.$/);
    expect((await start!(anAsked('', aTurn('/start', GROUP))))?.body.text).not.toContain('/status');
  });

  it('should redeem an invitation, in a private chat, and keep nothing of its code', async () => {
    redeem.mockResolvedValue({ daoId: 'bees', member: strict('a member', { roles: ['member'] }) as never });
    const turn = aTurn('/start inv_bees_x');
    expect((await start!(anAsked('inv_bees_x', turn)))?.body.text).toBe(
      'Welcome to Bees! Your roles: member. /help lists what you can do now.',
    );
    expect(redeem).toHaveBeenCalledWith(BOTS_KEY, { secret: 'inv_bees_x', userId: 'tg:12345' });
    expect(choose).toHaveBeenCalledWith('c1', 'bees');
    expect(reword).toHaveBeenCalledWith(turn.update, DAO, '/start');
    const group = await start!(anAsked('inv_bees_x', aTurn('', GROUP)));
    expect(group?.body.text).toMatch(/redeemed in a private chat/);
    expect(redeem).toHaveBeenCalledTimes(1);
    expect(reword).toHaveBeenCalledTimes(2);
  });

  it('should keep nothing of a code that was refused, and all of it while what it needs is away', async () => {
    reword.mockClear();
    const turn = aTurn('/start inv_bees_x');
    redeem.mockRejectedValueOnce(new AppError('STORE_UNAVAILABLE'));
    await expect(start!(anAsked('inv_bees_x', turn))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(reword).not.toHaveBeenCalled();
    redeem.mockRejectedValueOnce(new AppError('INVITATION_ENDED'));
    await expect(start!(anAsked('inv_bees_x', turn))).rejects.toMatchObject({ code: 'INVITATION_ENDED' });
    expect(reword).toHaveBeenCalledWith(turn.update, DAO, '/start');
  });
});
