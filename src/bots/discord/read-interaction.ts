import { MessageFlags } from 'discord-api-types/v10';
import type { Inbound, InboundBody } from '../../contracts/dialog.js';
import type { Place } from '../../contracts/messenger.js';
import {
  CONTEXT,
  type DiscordCommandCall,
  type DiscordDeed,
  type DiscordForm,
  type DiscordPress,
} from '../../schemas/discord.js';
import { PLAIN, PROPOSAL_FORM } from './commands.js';

/** Where somebody is, and who they are. */
export interface Whereabouts {
  place: Place;
  /** The guild; null: a direct message. */
  space: string | null;
  actor: string;
}

/** Commands that are not to wait behind what is being answered. */
const AT_ONCE = new Set(['stop']);

/** Undefined: it is somewhere where a bot has no place, or nobody is named. */
export function whereaboutsOf({
  channel_id: chat,
  guild_id: guild,
  context,
  member,
  user,
}: DiscordDeed): Whereabouts | undefined {
  const person = member?.user ?? user;
  if (chat === undefined || !person || context === CONTEXT.others) return undefined;
  const kind = guild === undefined ? 'private' : 'group';
  return { place: { source: 'dc', chat, topic: null, kind }, space: guild ?? null, actor: `dc:${person.id}` };
}

/** The id under which an interaction is taken in once. */
export const updateKeyOf = ({ id }: DiscordDeed): string => `dc:${id}`;

/** A command, as it would be written in a chat. */
export const textOf = ({ data: { name, options } }: DiscordCommandCall): string => {
  const args = options.flatMap(({ value }) => (value === undefined ? [] : [String(value).trim()])).join(' ');
  return name === PLAIN.name ? args : `/${name} ${args}`.trim();
};

/** What a form says, as the command would; undefined: something is missing in it, or it is none of ours. */
export function formTextOf({ data: { custom_id: form, components } }: DiscordForm): string | undefined {
  const said = (id: string): string => components.find(({ custom_id: field }) => field === id)?.value.trim() ?? '';
  const [title, text] = [said(PROPOSAL_FORM.title.id).replace(/\s+/g, ' '), said(PROPOSAL_FORM.text.id)];
  return form === PROPOSAL_FORM.id && title !== '' && text !== ''
    ? `/${PROPOSAL_FORM.id} ${title}\n${text}`
    : undefined;
}

/** A message that somebody wrote by a command or a form. */
export function readMessage(deed: DiscordCommandCall | DiscordForm, where: Whereabouts, text: string): Inbound {
  const name = deed.member?.nick ?? (deed.member?.user ?? deed.user)?.global_name;
  const body: InboundBody = { kind: 'message', text, ...(typeof name === 'string' && { name }) };
  const isAtOnce = 'name' in deed.data && AT_ONCE.has(deed.data.name);
  return { ...inbound(deed, where), lane: isAtOnce ? 'act' : 'turn', messageId: deed.id, body };
}

/** Whether a button was pressed below a message that its person alone sees. */
export const isToldAlone = ({ message }: DiscordPress): boolean => (message.flags & MessageFlags.Ephemeral) !== 0;

/** A press of a button. */
export function readPress(deed: DiscordPress, where: Whereabouts): Inbound {
  const body: InboundBody = { kind: 'button', press: deed.id, data: deed.data.custom_id };
  return { ...inbound(deed, where), lane: 'act', messageId: deed.message.id, body };
}

const inbound = (
  deed: DiscordDeed,
  { place, space, actor }: Whereabouts,
): Pick<Inbound, 'updateKey' | 'place' | 'space' | 'actor' | 'language' | 'order'> => ({
  ...{ place, space, actor, updateKey: updateKeyOf(deed), language: deed.locale },
  // Discord's ids grow with time.
  order: BigInt(deed.id),
});
