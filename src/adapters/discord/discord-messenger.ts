import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Messenger, OutgoingMessage, Place } from '../../contracts/messenger.js';
import type { RichText } from '../../contracts/rich-text.js';
import { plainText } from '../../contracts/rich-text.js';
import { DiscordError } from './discord-errors.js';
import type { DiscordRest, Opened } from './discord-rest.js';
import { EditPace } from './edit-pace.js';
import type { Interaction, InteractionTokens } from './interaction-tokens.js';
import { bodyOf, nonceOf, privately, type MessageBody } from './message-body.js';

/** Least time between two edits of a message: Discord bears five in five seconds for a whole channel. */
const EDIT_EVERY_MS = 1_200;
/** Longest wait in front of Discord's limits; whoever is told to wait for longer comes back. */
const PATIENCE_MS = 5_000;
/**
 * For so long after an interaction came in Discord may not have heard our first answer to it, which goes out only when all
 * is written down: until then its token opens nothing.
 */
const UNHEARD_MS = 5_000;
const UNHEARD_AGAIN_MS = 200;
/** Discord shows for ten seconds that somebody is writing. */
const TYPING_MS = 8_000;
const MOST_CHANNELS = 1_000;

/** How texts are written for Discord. */
export interface DiscordFormat {
  markdown(rich: RichText): string;
  split(rich: RichText): RichText[];
}

export interface DiscordMessengerParts {
  rest: DiscordRest;
  tokens: Pick<InteractionTokens, 'ofReply' | 'ofMessage' | 'ofId' | 'forget'>;
  format: DiscordFormat;
  log: Logger;
}

type Shown = Omit<OutgoingMessage, 'replyTo'>;
type Live = Interaction & Opened;

/**
 * Discord. What answers an interaction is its deferred first answer, changed by its token, so that no message can come
 * twice; further ones go to the channel, with a nonce that Discord enforces. What only one person is to see goes nowhere
 * else. An interaction is no message that one could refer to, so `replyTo` says nothing here.
 */
export class DiscordMessenger implements Messenger {
  private readonly pace = new EditPace(EDIT_EVERY_MS);
  private readonly typed = new LRUCache<string, true>({ max: MOST_CHANNELS, ttl: TYPING_MS });

  constructor(private readonly parts: DiscordMessengerParts) {}

  editEveryMs(): number {
    return EDIT_EVERY_MS;
  }

  split(body: RichText): RichText[] {
    return this.parts.format.split(body);
  }

  async create(place: Place, message: OutgoingMessage, key: string): Promise<string> {
    const { replyId, n } = partOf(key);
    const body = this.bodyOf(message);
    const send = (): Promise<string> => this.parts.rest.send(place.chat, body, nonceOf(key));
    const interaction = await this.parts.tokens.ofReply(replyId);
    const answer = (live: Live): Promise<string> =>
      n === 0 ? this.answerFirst(live, body) : this.followUp(live, body);
    const id = await (interaction ? this.reach({ ...interaction, n }, place, answer, send) : patiently(send));
    this.pace.took(id);
    return id;
  }

  async edit(place: Place, id: string, message: Shown): Promise<void> {
    await this.pace.turn(id);
    const body = this.bodyOf(message);
    await this.change(
      place,
      id,
      (live, own) => this.parts.rest.editByToken(live, body, own),
      () => this.parts.rest.edit(place.chat, id, body),
    );
  }

  async remove(place: Place, id: string): Promise<void> {
    const { rest } = this.parts;
    await unlessMissing(() =>
      this.change(
        place,
        id,
        (live, own) => rest.deleteByToken(live, own),
        () => rest.delete(place.chat, id),
      ),
    );
  }

  async typing({ chat }: Place): Promise<void> {
    if (!this.parts.rest.hasBot || this.typed.has(chat)) return;
    this.typed.set(chat, true);
    await this.parts.rest.typing(chat);
  }

  /** It need not be told: Discord enforces nonces. */
  isOurs(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async heard(press: string, text?: string): Promise<void> {
    if (text === undefined) return;
    const interaction = await this.parts.tokens.ofId(press);
    const body = privately(this.bodyOf({ body: plainText(text), buttons: [] }));
    if (interaction) await this.byToken(interaction, (live) => this.parts.rest.followUp(live, body));
  }

  async unanswered(key: string): Promise<void> {
    const interaction = await this.parts.tokens.ofReply(key);
    await unlessMissing(async () => {
      const remove = (live: Live): Promise<string> => this.parts.rest.deleteByToken(live).then(() => '');
      if (interaction) await this.byToken(interaction, remove);
    });
  }

  private bodyOf(message: Pick<OutgoingMessage, 'body' | 'buttons'>): MessageBody {
    return bodyOf(message, (rich) => this.parts.format.markdown(rich));
  }

  /** The deferred answer. */
  private async answerFirst(live: Live, body: MessageBody): Promise<string> {
    try {
      return await this.parts.rest.editByToken(live, body);
    } catch (error) {
      const isGone = error instanceof DiscordError && error.problem === 'missing' && !isUnheard(live);
      if (!isGone) throw error;
      // Somebody has removed it.
      return this.followUp(live, body);
    }
  }

  /** Changes a message, however it is reached. */
  private async change(
    place: Place,
    id: string,
    byToken: (live: Live, id: string | undefined) => Promise<unknown>,
    asBot: () => Promise<void>,
  ): Promise<void> {
    const interaction = await this.parts.tokens.ofMessage(place.chat, id);
    if (!interaction) return patiently(asBot);
    // The first one has no id of its own to the token of its interaction.
    const own = interaction.n === 0 ? undefined : id;
    const changeByToken = (live: Live): Promise<string> => byToken(live, own).then(() => id);
    await this.reach(interaction, place, changeByToken, () => asBot().then(() => id));
  }

  /**
   * Does something to a message that answers an interaction: the first one is opened by its token, as are all that are for
   * one person alone; others are the bot's, where it may write.
   */
  private async reach(
    interaction: Interaction & { n: number },
    place: Place,
    byToken: (live: Live) => Promise<string>,
    asBot: () => Promise<string>,
  ): Promise<string> {
    if (interaction.n === 0 || interaction.isPrivate || !this.parts.rest.hasBot) {
      const done = await this.byToken(interaction, byToken);
      if (done !== undefined) return done;
      this.refuseToTell(interaction, place);
      this.parts.log.info(
        { update: interaction.updateKey, part: interaction.n },
        'an interaction is over; the bot goes on',
      );
      return patiently(asBot);
    }
    try {
      return await patiently(asBot);
    } catch (error) {
      const isClosed = error instanceof DiscordError && error.problem === 'closed';
      const done = isClosed ? await this.byToken(interaction, byToken) : undefined;
      if (done === undefined) throw error;
      return done;
    }
  }

  private followUp(live: Live, body: MessageBody): Promise<string> {
    return this.parts.rest.followUp(live, live.isPrivate ? privately(body) : body);
  }

  /** Does something by the token of an interaction. Undefined: it opens nothing any more, and that is written down. */
  private async byToken(interaction: Interaction, act: (live: Live) => Promise<string>): Promise<string | undefined> {
    const { token } = interaction;
    if (token === undefined) return undefined;
    for (;;) {
      try {
        return await patiently(() => act({ ...interaction, token }));
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        const { problem } = error;
        if ((problem === 'closed' || problem === 'missing') && isUnheard(interaction)) await sleep(UNHEARD_AGAIN_MS);
        else if (problem !== 'closed') throw error;
        else {
          await this.parts.tokens.forget(interaction);
          return undefined;
        }
      }
    }
  }

  /** What was for one person alone is not said in front of others. @throws DiscordError `closed` */
  private refuseToTell({ isPrivate }: Interaction, { kind }: Place): void {
    if (!isPrivate || kind === 'private') return;
    throw new DiscordError('closed', 'The 15 minutes are over in which Discord shows an answer to one person alone');
  }
}

const isUnheard = ({ beganAt }: Interaction): boolean => Date.now() - beganAt.getTime() < UNHEARD_MS;

/** The reply of a key, and which of its messages. */
function partOf(key: string): { replyId: string; n: number } {
  const at = key.lastIndexOf('.');
  return { replyId: key.slice(0, at), n: Number(key.slice(at + 1)) };
}

/** Waits in front of Discord's limits, as long as that is short. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let left = PATIENCE_MS; ;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof DiscordError) || error.problem !== 'limited') throw error;
      const wait = error.detail.retryAfterMs ?? left;
      if (wait > left) throw error;
      left -= wait;
      await sleep(wait);
    }
  }
}

async function unlessMissing(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof DiscordError) || error.problem !== 'missing') throw error;
  }
}
