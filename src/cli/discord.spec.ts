import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeDiscord } from '../../test/fakes/discord/fake-discord.js';
import { DISCORD_COMMANDS } from '../bots/discord/commands.js';
import { clearCommands, registerCommands } from './discord.js';

describe(registerCommands, () => {
  let fake: FakeDiscord;
  const application = () => ({
    DISCORD_APPLICATION_ID: fake.settings.applicationId,
    DISCORD_BOT_TOKEN: fake.settings.botToken,
    DISCORD_API_ROOT: fake.apiRoot,
  });

  beforeAll(async () => {
    fake = await FakeDiscord.start();
  });
  afterAll(() => fake.close());
  afterEach(() => fake.stage.reset());

  it('Discord case 12: registers what fits into Discord’s own description of it, and the same again changes nothing', async () => {
    const first = await registerCommands(application(), undefined);
    expect(first).toContain(`${DISCORD_COMMANDS.length} commands everywhere:\n  /ask `);
    expect(first).toContain('new: /ask, /help');
    const before = await fake.stage.registered();
    expect(await registerCommands(application(), undefined)).toContain('\nNothing has changed.\n');
    expect(await fake.stage.registered()).toEqual(before);
    expect(await fake.stage.violations()).toEqual([]);
    const help = before.find(({ name }) => name === 'help');
    expect(help?.definition).toMatchObject({
      ...{ description: 'what you can do here', description_localizations: { uk: 'що ви тут можете' } },
      ...{ contexts: [0, 1], integration_types: [0] },
    });
  });

  it('tells what it has changed and removed', async () => {
    const [ask, help] = await fake.stage.registered();
    fake.world.commands.set('77', [
      { ...help!, version: 'older', definition: { name: 'help' } },
      { ...ask!, name: 'dance', definition: { name: 'dance' } },
    ]);
    const text = await registerCommands(application(), '77');
    expect(text).toContain('commands in server 77:');
    expect(text).toMatch(/new: \/ask, .*; changed: \/help; removed: \/dance\n/);
  });

  it('says what a server would show twice, and takes its own away', async () => {
    const everywhere = await registerCommands(application(), undefined);
    expect(everywhere).toMatch(/\nA server with commands of its own shows them beside these: .*--guild ID --clear"/);
    const twice = `\n${DISCORD_COMMANDS.length} commands are registered everywhere, too, so this server shows both`;
    expect(await registerCommands(application(), '77')).toContain(twice);
    const cleared = await clearCommands(application(), '77');
    expect(cleared).toMatch(/^0 commands in server 77 alone:\nremoved: \/ask, \/help/);
    expect(fake.world.commands.get('77')).toEqual([]);
    expect(await fake.stage.registered()).toHaveLength(DISCORD_COMMANDS.length);
    expect(await clearCommands(application(), '77')).toBe('Nothing is registered in server 77 alone.\n');
    await expect(clearCommands(application(), undefined)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(await fake.stage.violations()).toEqual([]);
  });

  it.each([
    [{ DISCORD_APPLICATION_ID: undefined }, 'CONFIG_INVALID', /^Environment: DISCORD_APPLICATION_ID must/],
    [{ DISCORD_BOT_TOKEN: undefined }, 'CONFIG_INVALID', /^Environment: DISCORD_BOT_TOKEN must/],
    [{ DISCORD_BOT_TOKEN: 'another' }, 'DISCORD_REFUSED', /does not know DISCORD_BOT_TOKEN/],
    [{ DISCORD_APPLICATION_ID: '5' }, 'DISCORD_REFUSED', /of another application than DISCORD_APPLICATION_ID/],
    [{ DISCORD_API_ROOT: 'http://127.0.0.1:9' }, 'DISCORD_UNAVAILABLE', /did not answer \(ECONNREFUSED\)/],
  ])('tells what is wrong with %p', async (change, code, message) => {
    const failed = registerCommands({ ...application(), ...change }, undefined);
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it('tells what Discord does not allow in a server, and what is no server', async () => {
    await fake.stage.fail({ kind: 'refuse', status: 403, code: 50_001, message: 'Missing Access' });
    await expect(registerCommands(application(), '77')).rejects.toThrow('The bot is not in server 77');
    await expect(registerCommands(application(), 'my server')).rejects.toMatchObject({ code: 'BODY_INVALID' });
  });
});
