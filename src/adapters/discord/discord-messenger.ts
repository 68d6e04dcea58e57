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
 * Discord. What answers an interaction is its deferred first answer, changed by its token, so that it cannot come twice;
 * further ones go to the channel, with a nonce that Discord enforces for some minutes. What only one person is to see goes
 * nowhere else, but by the token, where there is no nonce: a further one whose answer is lost is sent again. An interaction is no message that one could refer to, so `replyTo` says nothing here.
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
    // To a press belongs the message with the button, which is no place for an answer.
    const which = interaction?.isPress ? n + 1 : n;
    const answer = (live: Live): Promise<string> =>
      which === 0 ? this.answerFirst(live, body) : this.followUp(live, body);
    const id = await (interaction ? this.reach({ ...interaction, n: which }, place, answer, send) : patiently(send));
    this.pace.took(id);
    return id;
  }

  async edit(place: Place, id: string, message: Shown, isDraft = false): Promise<void> {
    if (isDraft) this.refuseTooSoon(id);
    else await this.pace.turn(id);
    const body = this.bodyOf(message);
    await this.change(
      place,
      id,
      (live, own) => this.parts.rest.editByToken(live, body, own),
      () => this.parts.rest.edit(place.chat, id, body),
      isDraft ? hastily : patiently,
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

  /** It need not be told: messages that may have come twice are not looked for here. */
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
    const { rest, tokens } = this.parts;
    const interaction = await tokens.ofReply(key);
    if (!interaction || interaction.isPress) return;
    await unlessMissing(async () => {
      await this.byToken(interaction, async (live) => {
        if (await rest.isDeferred(live)) await rest.deleteByToken(live);
        return '';
      });
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
    patient: Patience = patiently,
  ): Promise<void> {
    const interaction = await this.parts.tokens.ofMessage(place.chat, id);
    if (!interaction) return patient(asBot);
    // The first one has no id of its own to the token of its interaction.
    const own = interaction.n === 0 ? undefined : id;
    const changeByToken = (live: Live): Promise<string> => byToken(live, own).then(() => id);
    await this.reach(interaction, place, changeByToken, () => asBot().then(() => id), patient);
  }

  /**
   * Does something to a message that answers an interaction: the first one is opened by its token, as are all that are for
   * one person alone; others are the bot's, where it may write. Where nothing helps, that says nothing of the channel: the
   * next interaction in it brings a token of its own.
   */
  private async reach(
    interaction: Interaction & { n: number },
    place: Place,
    byToken: (live: Live) => Promise<string>,
    asBot: () => Promise<string>,
    patient: Patience = patiently,
  ): Promise<string> {
    const { n, isPrivate, updateKey } = interaction;
    const isBotsFirst = n > 0 && !isPrivate && this.parts.rest.hasBot;
    if (!isBotsFirst) {
      const done = await this.byToken(interaction, byToken, patient);
      if (done !== undefined) return done;
      this.refuseToTell(interaction, place);
      this.parts.log.info({ update: updateKey, part: n }, 'an interaction is over; the bot goes on');
    }
    try {
      return await patient(asBot);
    } catch (error) {
      if (!(error instanceof DiscordError) || error.problem !== 'closed') throw error;
      const done = isBotsFirst ? await this.byToken(interaction, byToken, patient) : undefined;
      if (done === undefined) throw new DiscordError('refused', error.message, error.detail, error.code);
      return done;
    }
  }

  private followUp(live: Live, body: MessageBody): Promise<string> {
    return this.parts.rest.followUp(live, live.isPrivate ? privately(body) : body);
  }

  /** Does something by the token of an interaction. Undefined: it opens nothing any more, and that is written down. */
  private async byToken(
    interaction: Interaction,
    act: (live: Live) => Promise<string>,
    patient: Patience = patiently,
  ): Promise<string | undefined> {
    const { token } = interaction;
    if (token === undefined) return undefined;
    for (;;) {
      try {
        return await patient(() => act({ ...interaction, token }));
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

  /** Of a message that was changed a moment ago. @throws DiscordError `limited` */
  private refuseTooSoon(id: string): void {
    const wait = this.pace.now(id);
    if (wait === 0) return;
    throw new DiscordError('limited', 'This message was changed a moment ago', { retryAfterMs: Math.ceil(wait) });
  }

  /** What was for one person alone is not said in front of others. @throws DiscordError `refused` */
  private refuseToTell({ isPrivate }: Interaction, { kind }: Place): void {
    if (!isPrivate || kind === 'private') return;
    throw new DiscordError('refused', 'The 15 minutes are over in which Discord shows an answer to one person alone');
  }
}

const isUnheard = ({ beganAt }: Interaction): boolean => Date.now() - beganAt.getTime() < UNHEARD_MS;

/** The reply of a key, and which of its messages. */
function partOf(key: string): { replyId: string; n: number } {
  const at = key.lastIndexOf('.');
  return { replyId: key.slice(0, at), n: Number(key.slice(at + 1)) };
}

/** How somebody waits in front of Discord's limits. */
type Patience = <T>(act: () => Promise<T>) => Promise<T>;

/** Not at all. */
const hastily: Patience = (act) => act();

/** As long as that is short. */
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
