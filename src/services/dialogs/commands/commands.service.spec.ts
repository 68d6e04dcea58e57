import { describe, expect, it, jest } from '@jest/globals';
import { anActing, anAsked, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { ChatsRepository } from '../../../adapters/store/chats.repository.js';
import type { AccessService } from '../../access.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { said, type Handler, type Handlers } from './asked.js';
import { CommandsService } from './commands.service.js';
import type { CrewCommands } from './crew-commands.js';
import { HelpCommands } from './help-commands.js';

function commands(role: string, handlers: Handlers = {}) {
  const denied = jest.fn<AccessService['denied']>(() => Promise.resolve());
  const resolve = jest.fn<AccessService['resolve']>(() => Promise.resolve(anActing(role)));
  const offer = jest.fn<CrewCommands['offer']>(() => Promise.resolve(said('an offer')));
  const service = new CommandsService({
    access: strict<AccessService>('access', { resolve, denied }),
    handlers,
    crews: { offer },
  });
  return { service, denied, resolve, offer };
}

describe('commands', () => {
  it('should be done with the rights of whoever uses them', async () => {
    const vote = jest.fn<Handler>(() => Promise.resolve(said('the proposal')));
    const { service, resolve } = commands('member', { vote });
    expect(await service.run(aTurn(), { name: 'vote', args: '12' })).toMatchObject({ body: { text: 'the proposal' } });
    expect(resolve).toHaveBeenCalledWith(BOTS_KEY, { daoId: DAO, userId: 'tg:12345' });
    expect(vote).toHaveBeenCalledWith(expect.objectContaining({ args: '12', acting: anActing('member') }));
  });

  it('should be refused, on the record, to whoever lacks a right', async () => {
    const propose = jest.fn(() => Promise.resolve(said('never')));
    const { service, denied } = commands('guest', { propose });
    const detail = { required_entitlement: 'proposal.create', roles: ['guest'] };
    await expect(service.run(aTurn(), { name: 'propose', args: '' })).rejects.toMatchObject({
      ...{ code: 'RBAC_PERMISSION_DENIED', detail },
    });
    expect(denied).toHaveBeenCalledWith(anActing('guest'), detail);
    expect(propose).not.toHaveBeenCalled();
  });

  it('should ask for every right that they need', async () => {
    const { service } = commands('member', { code_review: () => Promise.resolve(said('never')) });
    await expect(service.run(aTurn(), { name: 'code_review', args: 'a.js' })).rejects.toMatchObject({
      detail: { required_entitlement: 'agent.devtools' },
    });
  });

  it('should be hinted at where they are unknown', async () => {
    const { service } = commands('member');
    const told = async (name: string, kind: 'private' | 'group' = 'private') =>
      (await service.run(aTurn('', { kind }), { name, args: '' }))?.body.text;
    expect(await told('hlep')).toBe(
      'I do not know the command /hlep. Did you mean /help? /help lists those that there are.',
    );
    expect(await told('weather')).toMatch(/^I do not know the command \/weather\. \/help/);
    // In a group it is another bot's.
    expect(await told('weather', 'group')).toBeUndefined();
    expect(await told('hlep', 'group')).toMatch(/Did you mean/);
    expect(await told('constructor')).toMatch(/do not know/);
  });

  it('should say where alone they work', async () => {
    const { service } = commands('admin', { link: () => Promise.resolve(said('never')) });
    expect((await service.run(aTurn(), { name: 'link', args: '' }))?.body.text).toBe('/link works in a group only.');
  });

  it('should be offered where words mean one that starts a crew, and done at once where they do not', async () => {
    const vote = jest.fn<Handler>(() => Promise.resolve(said('the proposal')));
    const { service, offer } = commands('member', { vote });
    const offered = await service.follow(aTurn(), { name: 'review', args: '12' });
    expect(offered?.body.text).toBe('an offer');
    expect(offer).toHaveBeenCalledWith(expect.objectContaining({ args: '12' }), 'review');
    expect((await service.follow(aTurn(), { name: 'vote', args: '3' }))?.body.text).toBe('the proposal');
  });

  it('should not be offered to whoever may not use them', async () => {
    const { service, offer } = commands('guest');
    await expect(service.follow(aTurn(), { name: 'review', args: '12' })).rejects.toMatchObject({
      detail: { required_entitlement: 'agent.crew' },
    });
    expect(offer).not.toHaveBeenCalled();
  });
});

describe('help', () => {
  const help = new HelpCommands({ speak: () => Promise.reject(new Error('unprepared')) }).handlers.help!;

  it('should list what a member may do, each in a line, in their language', async () => {
    const told = await help(anAsked('', aTurn('/help', {}, 'uk')));
    const lines = told?.body.text.split('\n') ?? [];
    expect(lines[0]).toBe('Я помічник DAO «GreenFood DAO». Ось що ви можете:');
    expect(lines).toContain('/vote 12 — переглянути пропозицію й проголосувати');
    expect(told?.body.text).not.toContain('/code_review');
    expect(told?.body.text).toContain('розглянь мою пропозицію 12');
    expect(pressesIn(told)).toEqual([]);
  });

  it('should tell of Discord what there is in Discord, as it is written there', async () => {
    const turn = aTurn('/help', { address: { source: 'dc', chat: '1', topic: '' }, kind: 'group' });
    const told = await help(anAsked('', turn, anActing('admin')));
    expect(told?.body.text).toContain('/vote — look at a proposal and vote on it');
    expect(told?.body.text).toContain('/link — make this server belong to your DAO');
    expect(told?.body.text).toContain('Ask me anything with /ask.');
    expect(told?.body.text).not.toMatch(/group|plain words|\/vote 12/);
  });

  it('should tell a guest how to become more', async () => {
    const told = await help(anAsked('', aTurn(), anActing('guest')));
    expect(told?.body.text).toContain('/onboard — ');
    expect(told?.body.text).not.toMatch(/\/(propose|vote|why|cost|stop)\b/);
    expect(told?.body.text).toContain('You are a guest here.');
    expect(pressesIn(told)).toEqual([[`say:onboard.${tagOf(DAO)}`]]);
  });
});

describe('roles and language', () => {
  const speak = jest.fn<ChatsRepository['speak']>(() => Promise.resolve());
  const { role, language } = new HelpCommands({ speak }).handlers;

  it('should tell somebody their roles and what they allow, in the language of the chat', async () => {
    const told = await role!(anAsked('', aTurn('/role', {}, 'uk')));
    expect(told?.body.text).toMatch(/^Ваші ролі в DAO «GreenFood DAO»: member\.\nВи можете:\n- /);
    expect((await role!(anAsked()))?.body.text).toMatch(/^Your roles in GreenFood DAO: member\./);
  });

  it('should be chosen by any of its names, and confirmed in it', async () => {
    expect((await language!(anAsked('Українська')))?.body.text).toBe('Готово: тут я говоритиму українською.');
    expect(speak).toHaveBeenCalledWith('c1', 'uk');
    expect((await language!(anAsked('en', aTurn('', {}, 'uk'))))?.body.text).toBe('Done: I will speak English here.');
    expect((await language!(anAsked('deutsch')))?.body.text).toMatch(/I speak Ukrainian and English/);
    expect(speak).toHaveBeenCalledTimes(2);
  });
});
