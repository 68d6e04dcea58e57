import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeDiscord } from '../../test/fakes/discord/fake-discord.js';
import { DISCORD_COMMANDS } from '../bots/discord/commands.js';
import { registerCommands } from './discord.js';
import { checkDiscord } from './doctor-discord.js';
import type { Finding } from './doctor-finding.js';

const PUBLIC_URL = 'https://dagi.example.org';
const OURS = `${PUBLIC_URL}/discord/interactions`;
type Environment = Parameters<typeof checkDiscord>[0];

describe(checkDiscord, () => {
  let discord: FakeDiscord;
  let whole: Environment;

  beforeAll(async () => {
    discord = await FakeDiscord.start();
  });
  afterAll(() => discord.close());

  beforeEach(async () => {
    await discord.stage.reset();
    discord.settings = { ...discord.settings, interactionsUrl: OURS };
    const { applicationId, botToken } = discord.settings;
    whole = {
      ...{ DISCORD_APPLICATION_ID: applicationId, DISCORD_BOT_TOKEN: botToken, DISCORD_API_ROOT: discord.apiRoot },
      ...{ DISCORD_PUBLIC_KEY: discord.publicKey, PUBLIC_URL },
    };
    await registerCommands(whole, undefined);
  });

  const check = (change: Partial<Environment> = {}): Promise<Finding> => checkDiscord({ ...whole, ...change });

  it('finds an application whose parts fit together', async () => {
    const { applicationId } = discord.settings;
    const said = `application ${applicationId}, interactions to ${OURS}, ${DISCORD_COMMANDS.length} commands`;
    expect(await check()).toEqual({ ok: true, text: said });
    const less = await check({ DISCORD_APPLICATION_ID: undefined, PUBLIC_URL: undefined });
    expect(less.ok).toBe(true);
    expect(less.text.split('\n').slice(1)).toEqual([
      '     warning: DISCORD_APPLICATION_ID is not set',
      '     warning: PUBLIC_URL is not set: whether they come here is not known',
    ]);
    expect(await discord.stage.violations()).toEqual([]);
  });

  it('finds nothing to check where nothing is set', async () => {
    const off = { DISCORD_PUBLIC_KEY: undefined, DISCORD_BOT_TOKEN: undefined, DISCORD_APPLICATION_ID: undefined };
    expect(await check(off)).toEqual({ ok: true, text: 'off: DISCORD_PUBLIC_KEY is not set' });
    expect(await check({ DISCORD_BOT_TOKEN: undefined })).toMatchObject({
      ok: true,
      text: expect.stringContaining('interactions only') as unknown,
    });
  });

  it.each([
    [{ DISCORD_PUBLIC_KEY: undefined }, /^DISCORD_PUBLIC_KEY is not set, so nothing/],
    [{ DISCORD_BOT_TOKEN: 'another' }, /does not know DISCORD_BOT_TOKEN: copy it anew/],
    [{ DISCORD_APPLICATION_ID: '5' }, /is of application \d+, DISCORD_APPLICATION_ID names 5: copy/],
    [{ DISCORD_PUBLIC_KEY: 'ab'.repeat(32) }, /^DISCORD_PUBLIC_KEY is not that of application .*: copy/],
    [{ PUBLIC_URL: 'https://moved.example.org' }, /URL is .*: set it to https:\/\/moved\..*, or correct PUBLIC_URL/],
    [{ DISCORD_API_ROOT: 'http://127.0.0.1:9' }, /did not answer \(ECONNREFUSED\): see that this machine/],
  ])('says what is wrong with %p, and what to do', async (change, text) => {
    expect(await check(change)).toEqual({ ok: false, text: expect.stringMatching(text) });
  });

  it('says where interactions do not come, and which commands are not in the menu', async () => {
    discord.world.commands.set('', discord.world.commands.get('')!.slice(2));
    const [first, second] = DISCORD_COMMANDS;
    const lacks = `the menu lacks /${first!.name}, /${second!.name}: run "npx dagi discord register".`;
    expect(await check()).toEqual({ ok: false, text: lacks });
    discord.settings = { ...discord.settings, interactionsUrl: '' };
    const text = expect.stringMatching(/^the application has no Interactions Endpoint URL: set it to https:\/\/dagi\./);
    expect(await check()).toEqual({ ok: false, text });
  });
});
