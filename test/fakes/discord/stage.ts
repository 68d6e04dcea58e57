import { setTimeout as sleep } from 'node:timers/promises';
import type { CallRecord, Command, Commands, DiscordDriver } from './commands.js';
import type { Sending, Sent } from './sender.js';
import type { CallFault, SettingsChange } from './settings.js';
import type { RegisteredCommand, ToldMessage } from './world.js';

const AGAIN_MS = 20;
const WITHIN_MS = 20_000;

type OptionValue = string | number | boolean;
/** Where somebody is. */
export interface Where {
  channel: string;
  /** Absent: a direct message. */
  guild?: string;
  locale?: string;
}
type More = Partial<Omit<Sending, 'type' | 'user' | 'channel' | 'guild' | 'data' | 'message'>>;

const STRING = 3;
const INTEGER = 4;
const kindOf = (value: OptionValue): number => (typeof value === 'number' ? INTEGER : STRING);

/** Somebody in a channel. */
export class DiscordPerson {
  private readonly driver: DiscordDriver;
  private readonly user: string;
  private readonly where: Where;

  constructor(driver: DiscordDriver, user: string, where: Where) {
    this.driver = driver;
    this.user = user;
    this.where = where;
  }

  /** Calls a command. */
  command(name: string, options: Record<string, OptionValue> = {}, more: More = {}): Promise<Sent> {
    const given = Object.entries(options).map(([key, value]) => ({ name: key, type: kindOf(value), value }));
    return this.send({ type: 2, data: { id: '1', name, type: 1, options: given }, ...more });
  }

  /** Types behind a command. */
  types(name: string, option: string, typed: string, more: More = {}): Promise<Sent> {
    const options = [{ name: option, type: INTEGER, value: typed, focused: true }];
    return this.send({ type: 4, data: { id: '1', name, type: 1, options }, ...more });
  }

  /** Presses a button under a message. */
  press(message: string, customId: string, more: More = {}): Promise<Sent> {
    return this.send({ type: 3, message, data: { custom_id: customId, component_type: 2 }, ...more });
  }

  /** Sends a form. */
  submit(customId: string, fields: Record<string, string>, more: More = {}): Promise<Sent> {
    const components = Object.entries(fields).map(([id, value]) => ({
      ...{ type: 18, id: 1 },
      component: { type: 4, id: 2, custom_id: id, value },
    }));
    return this.send({ type: 5, data: { custom_id: customId, components }, ...more });
  }

  /** Sends an interaction again as it was, signed anew. */
  again(id: string): Promise<Sent> {
    return this.send({ type: 2, again: id });
  }

  /** Sends anything. */
  send(sending: Omit<Sending, 'user' | 'channel'>): Promise<Sent> {
    const { channel, guild, locale } = this.where;
    const place = { channel, ...(guild !== undefined && { guild }), ...(locale !== undefined && { locale }) };
    return this.driver.act('send', { user: this.user, ...place, ...sending });
  }
}

/** People, channels, faults and everything that was seen: the same in the fake's process and from another one. */
export class DiscordStage {
  private readonly driver: DiscordDriver;

  constructor(driver: DiscordDriver) {
    this.driver = driver;
  }

  facts(): Promise<Commands['facts']['out']> {
    return this.driver.act('facts', {});
  }

  person(user: string, where: Where): DiscordPerson {
    return new DiscordPerson(this.driver, user, where);
  }

  async channel(id: string, facts: { guild?: string; isBotHere?: boolean } = {}): Promise<void> {
    await this.driver.act('channel', { id, ...facts });
  }

  async erase(channel: string, id: string): Promise<void> {
    await this.driver.act('erase', { channel, id });
  }

  async set(settings: SettingsChange): Promise<void> {
    await this.driver.act('set', settings);
  }

  /** The next calls go wrong, one fault after the other. */
  async fail(...faults: CallFault[]): Promise<void> {
    await this.driver.act('fail', { faults });
  }

  /** Forgets calls, violations, limits and faults; channels stay. */
  async reset(): Promise<void> {
    await this.driver.act('reset', {});
  }

  /** Messages of a channel in their order, each with everything that it ever said. */
  transcript(channel: string): Promise<ToldMessage[]> {
    return this.driver.act('transcript', { channel });
  }

  /** What is to be seen in a channel now, deferred answers as `undefined`. */
  async texts(channel: string): Promise<(string | undefined)[]> {
    const told = await this.transcript(channel);
    return told.filter(({ deletedAt }) => deletedAt === undefined).map(({ versions }) => versions.at(-1)?.content);
  }

  typing(channel: string): Promise<number[]> {
    return this.driver.act('typing', { channel });
  }

  registered(guild?: string): Promise<RegisteredCommand[]> {
    return this.driver.act('registered', guild === undefined ? {} : { guild });
  }

  calls(filter: Commands['calls']['in'] = {}): Promise<CallRecord[]> {
    return this.driver.act('calls', filter);
  }

  /** Everything that no application should do. */
  violations(): Promise<string[]> {
    return this.driver.act('violations', {});
  }

  /** Waits for a message in a channel that says something. @returns it, as it is then */
  async untilSaid(channel: string, what: RegExp, withinMs = WITHIN_MS): Promise<ToldMessage> {
    for (const giveUpAt = Date.now() + withinMs; ;) {
      const told = await this.transcript(channel);
      const found = told.find(
        ({ versions, deletedAt }) => deletedAt === undefined && what.test(versions.at(-1)?.content ?? ''),
      );
      if (found) return found;
      if (Date.now() > giveUpAt)
        throw new Error(`Nobody said ${what.source}: ${JSON.stringify(await this.texts(channel))}`);
      await sleep(AGAIN_MS);
    }
  }
}

/** The stage of a fake that runs in another process. @param url its address */
export function connectDiscord(url: string): DiscordStage {
  return new DiscordStage({
    act: async <C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> => {
      const answer = await fetch(`${url}/control/${command}`, { method: 'POST', body: JSON.stringify(input) });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as Commands[C]['out'];
    },
  });
}
