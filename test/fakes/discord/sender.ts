import { randomBytes, sign } from 'node:crypto';
import { problemsOf } from './api.js';
import { keyOf } from './keys.js';
import { saidIn, type Body, type Scene } from './operations.js';
import { DiscordRefusal } from './refusal.js';
import type { SentInteraction } from './world.js';

const EPHEMERAL = 64;
const [MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE] = [4, 5, 6, 7];

/** How a signature is spoilt. */
export const SPOILS = [
  'wrong-key',
  're-serialised',
  'swapped-timestamp',
  'no-signature',
  'no-timestamp',
  'no-hex',
  'short',
  'empty',
] as const;

export interface Sending {
  /** 1 ping, 2 command, 3 button, 4 autocomplete, 5 form; or what nobody knows. */
  type: number;
  user: string;
  channel: string;
  /** Its guild; absent: a direct message. */
  guild?: string;
  context?: number;
  locale?: string;
  /** Name of the person in the guild. */
  nick?: string;
  data?: Body;
  /** The message with the button. */
  message?: string;
  spoilt?: (typeof SPOILS)[number];
  isUpperCase?: true;
  /** How old the signature is, in milliseconds. */
  agedMs?: number;
  /** White space in the body, which is none of a serialiser's. */
  isSpaced?: true;
  /** The id of an interaction that is sent again as it was. */
  again?: string;
}

/** What came of an interaction. */
export interface Sent {
  id: string;
  status: number;
  contentType: string;
  body: unknown;
  ms: number;
  /** What Discord has against the answer. */
  problems: string[];
}

const OTHER_SEED = '2e'.repeat(32);

/** Sends what people do to the application, as Discord does, and takes its first answers. */
export class Sender {
  private readonly bodies = new Map<string, string>();
  private readonly scene: Scene;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  async send(sending: Sending): Promise<Sent> {
    const { world } = this.scene;
    const { id, token, text } = sending.again === undefined ? this.make(sending) : this.made(sending.again);
    const started = performance.now();
    world.channel(sending.channel, sending.guild);
    if (sending.again === undefined && sending.type !== 1) {
      const { type, channel, user } = sending;
      world.interactions.set(token, { id, token, type, channel, user, at: this.scene.now(), isFailed: false });
    }
    const answer = await this.post(text, sending);
    const ms = performance.now() - started;
    if (sending.again !== undefined || sending.spoilt) return { ...answer, id, ms, problems: [] };
    const problems = this.heard(world.interactions.get(token), sending, answer, ms);
    return { ...answer, id, ms, problems };
  }

  private make(sending: Sending): { id: string; token: string; text: string } {
    const { type, user, channel, guild, locale = 'en-US', nick, data, message } = sending;
    const id = this.scene.world.newId();
    const token = randomBytes(96).toString('base64url');
    const person = { id: user, username: `user${user}`, global_name: `Person ${user}`, discriminator: '0' };
    const payload = {
      ...{ id, application_id: this.scene.settings().applicationId, type, token, version: 1, locale },
      ...{ channel_id: channel, channel: { id: channel, type: guild === undefined ? 1 : 0 } },
      ...(guild === undefined
        ? { user: person }
        : { guild_id: guild, member: { user: person, nick: nick ?? null, roles: [] } }),
      ...{
        context: sending.context ?? (guild === undefined ? 1 : 0),
        authorizing_integration_owners: { 0: guild ?? '0' },
      },
      ...(data && { data }),
      ...(message !== undefined && {
        message: { id: message, channel_id: channel, content: '…', flags: this.flagsOf(message) },
      }),
      entitlements: [],
    };
    const text = JSON.stringify(payload, null, sending.isSpaced && 2);
    this.bodies.set(id, text);
    return { id, token, text };
  }

  private flagsOf(message: string): number {
    return this.scene.world.anywhere(message)?.onlyFor === undefined ? 0 : EPHEMERAL;
  }

  private made(id: string): { id: string; token: string; text: string } {
    const text = this.bodies.get(id);
    if (text === undefined) throw new Error(`no interaction ${id} was sent`);
    return { id, token: (JSON.parse(text) as { token: string }).token, text };
  }

  /** Headers of a body, right or spoilt. */
  headersOf(
    text: string,
    { spoilt, isUpperCase, agedMs = 0 }: Pick<Sending, 'spoilt' | 'isUpperCase' | 'agedMs'>,
  ): Record<string, string> {
    const timestamp = String(Math.floor((Date.now() - agedMs) / 1_000));
    const key = keyOf(spoilt === 'wrong-key' ? OTHER_SEED : this.scene.settings().keySeed);
    const signed = spoilt === 're-serialised' ? JSON.stringify(JSON.parse(text), null, 1) : text;
    const hex = sign(null, Buffer.from(`${timestamp}${signed}`), key).toString('hex');
    const signatures: Partial<Record<string, string>> = {
      'no-hex': `zz${hex.slice(2)}`,
      ...{ short: hex.slice(0, 126), empty: '', 'no-signature': undefined },
    };
    const signature = spoilt !== undefined && spoilt in signatures ? signatures[spoilt] : hex;
    const sent = spoilt === 'swapped-timestamp' ? String(Number(timestamp) - 1) : timestamp;
    return {
      'content-type': 'application/json',
      ...(signature !== undefined && { 'x-signature-ed25519': isUpperCase ? signature.toUpperCase() : signature }),
      ...(spoilt !== 'no-timestamp' && { 'x-signature-timestamp': sent }),
    };
  }

  private async post(text: string, sending: Sending): Promise<Pick<Sent, 'status' | 'contentType' | 'body'>> {
    const { interactionsUrl, answerWithinMs } = this.scene.settings();
    const nothing = { status: 0, contentType: '', body: undefined };
    try {
      const signal = AbortSignal.timeout(answerWithinMs);
      const init = { method: 'POST', headers: this.headersOf(text, sending), body: text, signal };
      const response = await fetch(interactionsUrl, init);
      const answer = await response.text();
      const contentType = response.headers.get('content-type') ?? '';
      return {
        status: response.status,
        contentType,
        body: answer === '' ? undefined : (JSON.parse(answer) as unknown),
      };
    } catch {
      return nothing;
    }
  }

  /** What Discord makes of a first answer. @returns what it has against it */
  private heard(
    interaction: SentInteraction | undefined,
    sending: Sending,
    { status, contentType, body }: Pick<Sent, 'status' | 'contentType' | 'body'>,
    ms: number,
  ): string[] {
    const problems = this.problemsIn(sending, { status, contentType, body }, ms);
    if (!interaction) return problems;
    if (problems.length > 0) {
      interaction.isFailed = true;
      this.scene.blame(`the answer to interaction ${interaction.id} (type ${sending.type}): ${problems.join('; ')}`);
      return problems;
    }
    interaction.heardAt = this.scene.now() + this.scene.settings().hearingMs;
    this.show(interaction, sending, body as { type: number; data?: Body });
    return [];
  }

  private problemsIn(
    { type }: Sending,
    { status, contentType, body }: Pick<Sent, 'status' | 'contentType' | 'body'>,
    ms: number,
  ): string[] {
    if (status !== 200) return [`status ${status} after ${Math.round(ms)} ms`];
    const problems = contentType.startsWith('application/json') ? [] : [`content type ${contentType}`];
    problems.push(...problemsOf('create_interaction_response', body));
    const answer = (body ?? {}) as { type?: number; data?: Body };
    const allowed: Partial<Record<number, number[]>> = {
      1: [1],
      2: [4, 5, 9],
      3: [4, 5, 6, 7, 9],
      4: [8],
      5: [4, 5, 6, 7],
    };
    if (!allowed[type]?.includes(answer.type ?? 0)) problems.push(`type ${answer.type} is no answer to type ${type}`);
    if (answer.type === DEFERRED && ((answer.data?.flags as number | undefined) ?? 0) & ~EPHEMERAL)
      problems.push('only EPHEMERAL may be deferred');
    return problems;
  }

  private show(
    interaction: SentInteraction,
    { message }: Sending,
    { type, data = {} }: { type: number; data?: Body },
  ): void {
    const { world } = this.scene;
    const isAlone = ((typeof data.flags === 'number' ? data.flags : 0) & EPHEMERAL) !== 0;
    const about = {
      by: 'interaction',
      interaction: interaction.id,
      ...(isAlone && { onlyFor: interaction.user }),
    } as const;
    const flags = isAlone ? EPHEMERAL : 0;
    try {
      if (type === MESSAGE) {
        const said = saidIn(this.scene, data, true);
        interaction.original = world.add(
          interaction.channel,
          { ...about, isDeferred: false },
          { content: '', components: [], flags, ...said },
        ).id;
      } else if (type === DEFERRED) {
        interaction.original = world.add(interaction.channel, { ...about, isDeferred: true }).id;
      } else if ((type === DEFERRED_UPDATE || type === UPDATE) && message !== undefined) interaction.original = message;
    } catch (error) {
      if (!(error instanceof DiscordRefusal)) throw error;
      this.scene.blame(`the answer to interaction ${interaction.id}: ${error.message}`);
    }
  }
}
