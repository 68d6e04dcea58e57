/** When Discord began to count, in milliseconds since 1970. */
const EPOCH = 1_420_070_400_000n;
/** As long as a nonce is remembered, in milliseconds. */
const NONCE_MS = 5 * 60_000;

/** What a message said at a time. */
export interface Version {
  at: number;
  content: string;
  components: object[];
  flags: number;
}

/** A message of the application, with everything that it ever said. */
export interface ToldMessage {
  id: string;
  channel: string;
  /** By the bot's token, or that of an interaction. */
  by: 'bot' | 'interaction';
  /** The interaction that it answers. */
  interaction?: string;
  /** Who alone sees it. */
  onlyFor?: string;
  /** It is a place for an answer that was deferred. */
  isDeferred: boolean;
  nonce?: string;
  versions: Version[];
  deletedAt?: number;
}

export interface Channel {
  id: string;
  /** Absent: a direct message. */
  guild?: string;
  isBotHere: boolean;
  messages: ToldMessage[];
  typing: number[];
}

/** An interaction that was sent. */
export interface SentInteraction {
  id: string;
  token: string;
  type: number;
  channel: string;
  user: string;
  at: number;
  /** From when on it counts as answered; absent: it is not. */
  heardAt?: number;
  /** It took too long, or what came was no answer. */
  isFailed: boolean;
  original?: string;
}

export interface RegisteredCommand {
  id: string;
  name: string;
  version: string;
  definition: object;
}

/** Channels, messages, interactions and commands. */
export class World {
  readonly channels = new Map<string, Channel>();
  /** By token. */
  readonly interactions = new Map<string, SentInteraction>();
  /** By the guild; empty: everywhere. */
  readonly commands = new Map<string, RegisteredCommand[]>();
  private count = 0n;
  private readonly now: () => number;

  /** @param now the clock, in milliseconds since 1970 */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Ids of Discord grow with time. */
  newId(): string {
    this.count += 1n;
    return String(((BigInt(this.now()) - EPOCH) << 22n) | (this.count & 0x3f_ffffn));
  }

  channel(id: string, guild?: string): Channel {
    let channel = this.channels.get(id);
    if (!channel) {
      channel = { id, ...(guild !== undefined && { guild }), isBotHere: true, messages: [], typing: [] };
      this.channels.set(id, channel);
    }
    return channel;
  }

  message(channel: string, id: string): ToldMessage | undefined {
    const found = this.channels.get(channel)?.messages.find((one) => one.id === id);
    return found?.deletedAt === undefined ? found : undefined;
  }

  /** A message by its id alone. */
  anywhere(id: string): ToldMessage | undefined {
    for (const { messages } of this.channels.values()) {
      const found = messages.find((one) => one.id === id);
      if (found) return found.deletedAt === undefined ? found : undefined;
    }
    return undefined;
  }

  add(
    channel: string,
    message: Omit<ToldMessage, 'id' | 'channel' | 'versions'>,
    first?: Omit<Version, 'at'>,
  ): ToldMessage {
    const added = { ...message, id: this.newId(), channel, versions: first ? [{ at: this.now(), ...first }] : [] };
    this.channel(channel).messages.push(added);
    return added;
  }

  change(message: ToldMessage, to: Partial<Omit<Version, 'at'>>): void {
    const last = message.versions.at(-1) ?? { content: '', components: [], flags: 0 };
    message.versions.push({ ...last, ...to, at: this.now() });
    message.isDeferred = false;
  }

  /** The message that was sent with a nonce some minutes ago. */
  withNonce(channel: string, nonce: string): ToldMessage | undefined {
    return this.channel(channel).messages.find(
      (one) => one.nonce === nonce && (one.versions[0]?.at ?? 0) > this.now() - NONCE_MS,
    );
  }
}
