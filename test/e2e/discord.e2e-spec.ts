import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeDiscord } from '../fakes/discord/fake-discord.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until } from './harness.js';

const GUILD = '500';

describe('Discord', () => {
  let fake: WireFake;
  let discord: FakeDiscord;
  let product: Product;
  let channels = 1_000;

  beforeAll(async () => {
    [fake, discord] = await Promise.all([startFakeOpenAi(), FakeDiscord.start()]);
    product = await Product.open({
      profile: { ...chatProfile([fakeProvider('fake', fake)], ['fake']), bots: { messages_per_minute: 10_000 } },
      env: {
        DISCORD_PUBLIC_KEY: discord.publicKey,
        DISCORD_BOT_TOKEN: discord.settings.botToken,
        DISCORD_API_ROOT: discord.apiRoot,
        DAGI_DEFAULT_DAO: DAO,
      },
    });
    await discord.stage.set({ interactionsUrl: `${product.url}/discord/interactions` });
    const member = { user_id: 'dc:7', roles: ['member'] };
    expect((await product.call('POST', `/daos/${DAO}/members`, {}, member)).status).toBe(201);
  });
  afterAll(async () => {
    await product.close();
    await discord.close();
    await fake.close();
  });
  afterEach(async () => {
    expect(await discord.stage.violations()).toEqual([]);
    await discord.stage.reset();
    fake.reset();
  });

  const member = () => {
    const channel = String((channels += 1));
    return { channel, person: discord.stage.person('7', { channel, guild: GUILD }) };
  };

  it('answers a question in the deferred message, as it comes, by its token alone', async () => {
    fake.settings = { ...fake.settings, tokens: 40, tokenMs: 100 };
    const { channel, person } = member();
    const sent = await person.command('ask', { text: 'How long is a vote? #vote' });
    expect(sent).toMatchObject({ body: { type: 5 }, problems: [] });
    // Discord waits for three seconds.
    expect(sent.ms).toBeLessThan(3_000);
    const told = await discord.stage.untilSaid(channel, /w39(?! …)$/);
    expect(told.versions.length).toBeGreaterThan(2);
    expect(told.versions.at(-1)?.components).toHaveLength(1);
    expect(await discord.stage.texts(channel)).toHaveLength(1);
    const calls = (await discord.stage.calls()).filter(({ operation }) => operation !== 'trigger_typing_indicator');
    expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(['update_original_webhook_message']));
    expect(calls.some(({ isByBot }) => isByBot)).toBe(false);
    expect(fake.stats.calls).toBe(1);
  });

  it('Discord case 7: sends what does not fit into one message in further ones, in order', async () => {
    fake.settings = { ...fake.settings, tokens: 500, tokenMs: 0 };
    const { channel, person } = member();
    await person.command('ask', { text: '@everyone, say much #much' });
    await discord.stage.untilSaid(channel, /w499/);
    const texts = await discord.stage.texts(channel);
    expect(texts).toHaveLength(2);
    expect(texts.every((text) => (text ?? '').length <= 2_000)).toBe(true);
    const numbers =
      texts
        .join(' ')
        .match(/(?<=w)\d+/g)
        ?.map(Number) ?? [];
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(texts.join(' ')).not.toContain('@everyone');
  });

  it('Discord case 5: answers the same interaction once', async () => {
    fake.settings = { ...fake.settings, tokens: 10 };
    const { channel, person } = member();
    const sent = await person.command('ask', { text: 'Once? #once' });
    await person.again(sent.id);
    await discord.stage.untilSaid(channel, /#once/);
    await person.again(sent.id);
    const later = await person.command('ask', { text: 'Then? #then' });
    expect(later.status).toBe(200);
    await discord.stage.untilSaid(channel, /#then/);
    expect(await discord.stage.texts(channel)).toHaveLength(2);
    expect(fake.stats.calls).toBe(2);
  });

  it('answers everybody once, in messages that come once, while each fifth call fails', async () => {
    fake.settings = { ...fake.settings, tokens: 500, tokenMs: 0 };
    await discord.stage.set({ chance: 0.2 });
    const people = Array.from({ length: 6 }, member);
    const sent = await Promise.all(people.map(({ person }, n) => person.command('ask', { text: `Well? #n${n}` })));
    expect(sent.flatMap(({ problems }) => problems)).toEqual([]);
    await Promise.all(people.map(({ channel }) => discord.stage.untilSaid(channel, /w499$/, 50_000)));
    await discord.stage.set({ chance: 0 });
    for (const { channel } of people) expect(await discord.stage.texts(channel)).toHaveLength(2);
    expect(fake.stats.calls).toBe(people.length);
    const failed = (await discord.stage.calls()).filter(({ status }) => status === 0 || status >= 429);
    expect(failed.length).toBeGreaterThan(0);
  });

  it('takes away what will never be answered, when somebody says stop', async () => {
    fake.settings = { ...fake.settings, tokens: 400, tokenMs: 50 };
    const { channel, person } = member();
    await person.command('ask', { text: 'First #first' });
    await discord.stage.untilSaid(channel, /#first/);
    const second = await person.command('ask', { text: 'Second #second' });
    expect(second.body).toEqual({ type: 5 });
    await person.command('stop');
    await discord.stage.untilSaid(channel, /Stopped/);
    await until(async () => {
      const texts = await discord.stage.texts(channel);
      return !texts.includes(undefined) && texts.length === 2;
    }, 'nothing that is still being thought about');
    expect(fake.stats.calls).toBe(1);
  });
});
