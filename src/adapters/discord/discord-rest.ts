import { REST, type RequestData } from '@discordjs/rest';
import { MessageFlags, Routes, type RESTPutAPIApplicationCommandsJSONBody } from 'discord-api-types/v10';
import { z } from 'zod';
import { DiscordError, discordErrorOf } from './discord-errors.js';
import type { MessageBody } from './message-body.js';

const TIMEOUT_MS = 10_000;
const MessageSchema = z.looseObject({ id: z.string() });
const CommandsSchema = z.array(z.looseObject({ id: z.string(), name: z.string(), version: z.string() }));

/** A command as Discord has it. */
export interface RegisteredCommand {
  id: string;
  name: string;
  /** Another one each time the command changes. */
  version: string;
}

const ApplicationSchema = z.looseObject({
  id: z.string(),
  verify_key: z.string(),
  interactions_endpoint_url: z.string().nullish(),
});

/** The application of a bot, as Discord has it. */
export interface RegisteredApplication {
  id: string;
  publicKey: string;
  /** Where interactions are sent; undefined: nowhere. */
  interactionsUrl: string | undefined;
}

/** Whose messages an interaction opens. */
export interface Opened {
  applicationId: string;
  token: string;
}

export interface DiscordRestOptions {
  botToken: string | undefined;
  /** Undefined: Discord itself. */
  apiRoot: string | undefined;
  timeoutMs?: number;
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Route = `/${string}`;

/**
 * Discord's REST API, as far as it is used. The client knows Discord's limits by what its answers say; it neither waits nor
 * tries again, so that whoever calls decides about that. All throw `DiscordError`.
 */
export class DiscordRest {
  private readonly ofBot: REST;
  /** What tokens of interactions open does not count for the bot. */
  private readonly ofTokens: REST;
  private readonly botToken: string | undefined;

  constructor({ botToken, apiRoot, timeoutMs = TIMEOUT_MS }: DiscordRestOptions) {
    this.botToken = botToken;
    const options = {
      ...{ version: '10', retries: 0, timeout: timeoutMs, rejectOnRateLimit: () => true },
      ...(apiRoot !== undefined && { api: apiRoot.replace(/\/+$/, '') }),
    };
    this.ofBot = new REST(options);
    this.ofTokens = new REST({ ...options, globalRequestsPerSecond: Number.MAX_SAFE_INTEGER });
  }

  /** Whether there is a bot that writes to channels. */
  get hasBot(): boolean {
    return this.botToken !== undefined;
  }

  /** Changes a message that an interaction opens. @param id absent: the one that answers it first @returns its id */
  async editByToken({ applicationId, token }: Opened, body: MessageBody, id?: string): Promise<string> {
    return idOf(await this.open('patch', Routes.webhookMessage(applicationId, token, id), body));
  }

  /** Whether the first answer to an interaction is still to come. */
  async isDeferred({ applicationId, token }: Opened): Promise<boolean> {
    const answer = await this.open('get', Routes.webhookMessage(applicationId, token));
    const parsed = z.looseObject({ flags: z.number() }).safeParse(answer);
    return parsed.success && (parsed.data.flags & MessageFlags.Loading) !== 0;
  }

  /** Sends a further message in answer to an interaction. @returns its id */
  async followUp({ applicationId, token }: Opened, body: MessageBody): Promise<string> {
    return idOf(await this.open('post', Routes.webhook(applicationId, token), body));
  }

  async deleteByToken({ applicationId, token }: Opened, id?: string): Promise<void> {
    await this.open('delete', Routes.webhookMessage(applicationId, token, id));
  }

  /** Sends a message to a channel; of those with the same nonce the first alone, for some minutes. @returns its id */
  async send(channel: string, body: MessageBody, nonce: string): Promise<string> {
    return idOf(await this.asBot('post', Routes.channelMessages(channel), { ...body, nonce, enforce_nonce: true }));
  }

  async edit(channel: string, id: string, body: MessageBody): Promise<void> {
    await this.asBot('patch', Routes.channelMessage(channel, id), body);
  }

  async delete(channel: string, id: string): Promise<void> {
    await this.asBot('delete', Routes.channelMessage(channel, id));
  }

  async typing(channel: string): Promise<void> {
    await this.asBot('post', Routes.channelTyping(channel));
  }

  /** The application whose bot it is. */
  async application(): Promise<RegisteredApplication> {
    const parsed = ApplicationSchema.safeParse(await this.asBot('get', Routes.currentApplication()));
    if (!parsed.success)
      throw new DiscordError('unreachable', 'Discord answered with something that is no application');
    const { id, verify_key: publicKey, interactions_endpoint_url: url } = parsed.data;
    return { id, publicKey, interactionsUrl: url ?? undefined };
  }

  /** Commands of an application, or those that it has in one guild alone. */
  async listCommands(applicationId: string, guildId: string | undefined): Promise<RegisteredCommand[]> {
    return commandsIn(await this.asBot('get', commandsRoute(applicationId, guildId)));
  }

  /** Replaces all of them. @returns what is there now */
  async putCommands(
    applicationId: string,
    guildId: string | undefined,
    commands: RESTPutAPIApplicationCommandsJSONBody,
  ): Promise<RegisteredCommand[]> {
    return commandsIn(await this.asBot('put', commandsRoute(applicationId, guildId), commands));
  }

  /** A call that the token in its address opens: it must bring nothing else. */
  private open(method: Method, route: Route, body?: object): Promise<unknown> {
    return this.call(this.ofTokens, method, route, { ...(body && { body }) });
  }

  private asBot(method: Method, route: Route, body?: object): Promise<unknown> {
    if (this.botToken === undefined) {
      throw new DiscordError('closed', 'DISCORD_BOT_TOKEN is not set: only answers within 15 minutes can be given');
    }
    // Not by the client's own token: it would forget that with the first 401.
    return this.call(this.ofBot, method, route, {
      headers: { authorization: `Bot ${this.botToken}` },
      ...(body && { body }),
    });
  }

  private async call(rest: REST, method: Method, route: Route, data: RequestData): Promise<unknown> {
    try {
      return await rest[method](route, { ...data, auth: false });
    } catch (error) {
      throw discordErrorOf(error);
    }
  }
}

const commandsRoute = (applicationId: string, guildId: string | undefined): Route =>
  guildId === undefined
    ? Routes.applicationCommands(applicationId)
    : Routes.applicationGuildCommands(applicationId, guildId);

function commandsIn(answer: unknown): RegisteredCommand[] {
  const parsed = CommandsSchema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new DiscordError('unreachable', 'Discord answered with something that is no commands');
}

function idOf(answer: unknown): string {
  const parsed = MessageSchema.safeParse(answer);
  if (parsed.success) return parsed.data.id;
  throw new DiscordError('unreachable', 'Discord answered with something that is no message', { maybeDone: true });
}
