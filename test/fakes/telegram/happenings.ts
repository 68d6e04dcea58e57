import type { ChatMember, InlineKeyboardButton, ReactionType, User } from 'grammy/types';
import type { Deed, NewGroup, Writing } from './commands.js';
import { entitiesIn } from './entities.js';
import type { Press, Scene } from './scene.js';
import type { BotStatus, FakeChat, Told } from './world.js';

const now = (): number => Math.floor(Date.now() / 1_000);

const NO_RIGHTS = {
  ...{ can_be_edited: false, is_anonymous: false, can_manage_chat: true, can_delete_messages: false },
  ...{ can_manage_video_chats: false, can_restrict_members: false, can_promote_members: false },
  ...{ can_change_info: false, can_invite_users: false, can_post_stories: false, can_edit_stories: false },
  ...{ can_delete_stories: false, can_manage_tags: false, can_send_welcome_messages: false },
};

const memberOf = (user: User, status: BotStatus): ChatMember => {
  if (status === 'administrator') return { status, user, ...NO_RIGHTS };
  return status === 'kicked' ? { status, user, until_date: 0 } : { status, user };
};

/** The bot's place in a chat changes, and it is told. */
export function botMoved({ world, queue }: Scene, chat: FakeChat, from: User, status: BotStatus): void {
  const old = chat.bot;
  chat.bot = status;
  const members = { old_chat_member: memberOf(world.bot, old), new_chat_member: memberOf(world.bot, status) };
  queue.add('my_chat_member', { chat: world.toChat(chat), from, date: now(), ...members }, chat.id);
}

const isThere = ({ bot }: FakeChat): boolean => bot === 'member' || bot === 'administrator';

/** Whether the bot gets to see a message of a group: with privacy, only what is meant for it. */
function isForBot({ world, settings }: Scene, chat: FakeChat, told: Told): boolean {
  if (!isThere(chat)) return false;
  if (chat.kind === 'private' || told.service || !settings().privacy) return true;
  const { text = '', entities = [] } = told.versions.at(-1) ?? {};
  const toBot = entities.some(({ type, offset, length }) => {
    const [, name] = text.slice(offset, offset + length).split('@');
    return name === undefined ? type === 'bot_command' : name === world.bot.username;
  });
  const answered = told.replyTo === undefined ? undefined : chat.messages.get(told.replyTo);
  return toBot || answered?.by === 'bot';
}

function announce(scene: Scene, chat: FakeChat, told: Told, kind: 'message' | 'edited_message'): void {
  if (isForBot(scene, chat, told)) scene.queue.add(kind, scene.world.toMessage(told), chat.id);
}

/** Where a person may do something. */
function placeOf({ world }: Scene, { person, chat: id }: Deed): FakeChat {
  const chat = world.chat(id);
  if (!chat.members.has(person)) throw new Error(`${person} is not in the chat ${id}`);
  if (chat.movedTo !== undefined) throw new Error(`The chat ${id} has become ${chat.movedTo}`);
  if (chat.kind === 'private' && chat.bot === 'kicked') throw new Error(`${person} has blocked the bot`);
  return chat;
}

function messageIn(chat: FakeChat, id: number): Told {
  const told = chat.messages.get(id);
  if (!told || told.deletedAt !== undefined) throw new Error(`There is no message ${id} in the chat ${chat.id}`);
  return told;
}

/** A group with its people, and the bot if it is to be there from the beginning. */
export function group(scene: Scene, { kind, title, members, topics, bot }: NewGroup): FakeChat {
  const chat = scene.world.addGroup(kind, title, members, topics);
  const [first] = members;
  if (bot !== 'left' && first !== undefined) moveBot(scene, { person: first, chat: chat.id }, bot);
  return chat;
}

/** Somebody adds the bot to a group, names it an administrator, or removes it. */
export function moveBot(scene: Scene, deed: Deed, status: BotStatus): void {
  const { world } = scene;
  const chat = placeOf(scene, deed);
  const wasThere = isThere(chat);
  botMoved(scene, chat, world.person(deed.person), status);
  if (!wasThere && isThere(chat)) {
    announce(
      scene,
      chat,
      world.write(chat, { by: deed.person, text: '', service: { new_chat_members: [world.bot] } }),
      'message',
    );
  }
}

/** @returns id of the message */
export function write(scene: Scene, deed: Deed & Writing): number {
  const chat = placeOf(scene, deed);
  chat.started = true;
  if (deed.topic !== undefined && !chat.topics?.has(deed.topic)) throw new Error(`There is no topic ${deed.topic}`);
  const { text, topic, replyTo } = deed;
  const told = scene.world.write(chat, { by: deed.person, text, entities: entitiesIn(text), topic, replyTo });
  announce(scene, chat, told, 'message');
  return told.id;
}

export function rewrite(scene: Scene, deed: Deed & { id: number; text: string }): void {
  const chat = placeOf(scene, deed);
  const told = messageIn(chat, deed.id);
  if (told.by !== deed.person) throw new Error(`The message ${deed.id} is not by ${deed.person}`);
  told.versions.push({ at: Date.now(), text: deed.text, entities: entitiesIn(deed.text), buttons: [] });
  announce(scene, chat, told, 'edited_message');
}

/** @returns id of the message */
export function photo(scene: Scene, deed: Deed & Partial<Writing>): number {
  const chat = placeOf(scene, deed);
  chat.started = true;
  const file = `photo${scene.files.size + 1}`;
  scene.files.set(`photos/${file}.jpg`, Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
  const { text = '', topic, replyTo } = deed;
  const told = scene.world.write(chat, {
    ...{ by: deed.person, text, entities: entitiesIn(text), topic, replyTo },
    photo: file,
  });
  announce(scene, chat, told, 'message');
  return told.id;
}

const pressed = (button: InlineKeyboardButton, wanted: string): string | undefined =>
  'callback_data' in button && [button.text, button.callback_data].includes(wanted) ? button.callback_data : undefined;

/** @returns id of the press, which the bot answers */
export function press(scene: Scene, deed: Deed & { id: number; button: string }): string {
  const { world, presses, queue } = scene;
  const chat = placeOf(scene, deed);
  const told = messageIn(chat, deed.id);
  const buttons = told.versions.at(-1)?.buttons.flat() ?? [];
  const data = buttons.map((button) => pressed(button, deed.button)).find((found) => found !== undefined);
  if (data === undefined) throw new Error(`The message ${deed.id} has no button ${deed.button}`);
  const id = `${9_000_000_000 + presses.size}`;
  const made: Press = { id, at: Date.now(), chat: chat.id, message: told.id, person: deed.person, data };
  presses.set(id, made);
  const from = world.person(deed.person);
  queue.add('callback_query', { id, from, message: world.toMessage(told), chat_instance: `${chat.id}`, data }, chat.id);
  return id;
}

const reactionsOf = (emoji: string | null | undefined): ReactionType[] =>
  emoji ? [{ type: 'emoji', emoji } as ReactionType] : [];

export function react(scene: Scene, deed: Deed & { id: number; emoji: string | null }): void {
  const { world, queue } = scene;
  const chat = placeOf(scene, deed);
  const told = messageIn(chat, deed.id);
  const before = told.reactions[deed.person];
  if (deed.emoji === null) Reflect.deleteProperty(told.reactions, deed.person);
  else told.reactions[deed.person] = deed.emoji;
  // In groups only administrators are told.
  if (chat.kind !== 'private' && chat.bot !== 'administrator') return;
  const change = { old_reaction: reactionsOf(before), new_reaction: reactionsOf(deed.emoji) };
  const where = { chat: world.toChat(chat), message_id: told.id, user: world.person(deed.person), date: now() };
  queue.add('message_reaction', { ...where, ...change }, chat.id);
}

export function erase({ world }: Scene, { chat, id }: { chat: number; id: number }): void {
  messageIn(world.chat(chat), id).deletedAt = Date.now();
}

export function block(scene: Scene, { person, blocked }: { person: number; blocked: boolean }): void {
  botMoved(scene, scene.world.chat(person), scene.world.person(person), blocked ? 'kicked' : 'member');
}

/** A group becomes a supergroup. @returns its new id */
export function migrate(scene: Scene, { chat: id }: { chat: number }): number {
  const { world } = scene;
  const old = world.chat(id);
  if (old.kind !== 'group' || old.movedTo !== undefined) throw new Error(`The chat ${id} is no basic group`);
  const next = world.addGroup('supergroup', old.title, [...old.members]);
  next.bot = old.bot;
  const [by = 0] = old.members;
  const left = world.write(old, { by, text: '', service: { migrate_to_chat_id: next.id } });
  announce(scene, old, left, 'message');
  old.movedTo = next.id;
  announce(scene, next, world.write(next, { by, text: '', service: { migrate_from_chat_id: id } }), 'message');
  return next.id;
}
