import type { ApiMethods, File, Message, Opts, Update, UserFromGetMe } from 'grammy/types';
import { botMoved } from './happenings.js';
import { buttonsOf, change, editable, repliedOf, topicOf, wordingOf } from './outgoing.js';
import { badRequest, conflict, malformed } from './refusal.js';
import type { Scene } from './scene.js';

type Method =
  | ('getMe' | 'getUpdates' | 'setWebhook' | 'deleteWebhook' | 'getWebhookInfo' | 'sendMessage' | 'editMessageText')
  | ('editMessageReplyMarkup' | 'deleteMessage' | 'sendChatAction' | 'sendMessageDraft' | 'answerCallbackQuery')
  | ('setMyCommands' | 'deleteMyCommands' | 'setMessageReaction' | 'getFile' | 'leaveChat')
  | 'getChatAdministrators';

type Handlers = {
  [M in Method]: (
    scene: Scene,
    params: Opts<M>,
    gone: AbortSignal,
  ) => ReturnType<ApiMethods[M]> | Promise<ReturnType<ApiMethods[M]>>;
};

const ACTIONS = ['typing', 'upload_photo', 'upload_document', 'choose_sticker', 'find_location', 'record_voice'];
const UNANSWERABLE = 'query is too old and response timeout expired or query ID is invalid';
const MOST_NOTICE = 200;
const COMMAND = /^[a-z0-9_]{1,32}$/;

const me = ({ world, settings }: Scene): UserFromGetMe => ({
  ...{ ...world.bot, is_bot: true, can_join_groups: true, can_read_all_group_messages: !settings().privacy },
  ...{ supports_inline_queries: false, can_connect_to_business: false, has_main_web_app: false },
  ...{ has_topics_enabled: false, allows_users_to_create_topics: false, can_manage_bots: false },
  supports_join_request_queries: false,
});

function sendMessage({ world }: Scene, params: Opts<'sendMessage'>): Message.TextMessage {
  const wording = wordingOf(params);
  const buttons = buttonsOf(params.reply_markup);
  if (wording.text === '') throw malformed('message text is empty');
  const chat = world.reachable(params.chat_id);
  const topic = topicOf(chat, params.message_thread_id);
  const replyTo = repliedOf(chat, params.reply_parameters);
  const told = world.write(chat, { by: 'bot', ...wording, buttons, topic, replyTo });
  return world.toMessage(told) as Message.TextMessage;
}

function editMessageText({ world }: Scene, params: Opts<'editMessageText'>): Message.TextMessage & Update.Edited {
  const { chat_id: chatId, message_id: id } = params;
  if (chatId === undefined || id === undefined) throw malformed('message identifier is not specified');
  const wording = wordingOf(params, 'MESSAGE_TOO_LONG');
  const buttons = buttonsOf(params.reply_markup);
  if (wording.text === '') throw malformed('message text is empty');
  const told = editable(world.reachable(chatId), id);
  change(told, { ...wording, buttons });
  return world.toMessage(told) as Message.TextMessage & Update.Edited;
}

function editMessageReplyMarkup({ world }: Scene, params: Opts<'editMessageReplyMarkup'>): Message & Update.Edited {
  const { chat_id: chatId, message_id: id } = params;
  if (chatId === undefined || id === undefined) throw malformed('message identifier is not specified');
  const buttons = buttonsOf(params.reply_markup);
  const told = editable(world.reachable(chatId), id);
  const { text = '', entities = [] } = told.versions.at(-1) ?? {};
  change(told, { text, entities, buttons });
  return world.toMessage(told) as Message & Update.Edited;
}

function deleteMessage({ world }: Scene, params: Opts<'deleteMessage'>): true {
  const chat = world.reachable(params.chat_id);
  const told = chat.messages.get(params.message_id);
  if (!told || told.deletedAt !== undefined) throw badRequest('message to delete not found');
  const mayDelete = told.by === 'bot' || chat.kind === 'private' || chat.bot === 'administrator';
  if (!mayDelete) throw badRequest("message can't be deleted for everyone");
  told.deletedAt = Date.now();
  return true;
}

function sendMessageDraft({ world }: Scene, params: Opts<'sendMessageDraft'>): true {
  const { text } = wordingOf(params);
  if (params.draft_id === 0) throw malformed('draft_id must be non-zero');
  const chat = world.reachable(params.chat_id);
  if (chat.kind !== 'private') throw malformed('drafts can be sent to private chats only');
  chat.drafts.push({ at: Date.now(), id: params.draft_id, text });
  return true;
}

function answerCallbackQuery({ presses, settings }: Scene, params: Opts<'answerCallbackQuery'>): true {
  const { callback_query_id: id, text, show_alert: alert = false } = params;
  if (text !== undefined && text.length > MOST_NOTICE) throw malformed('MESSAGE_TOO_LONG');
  const press = presses.get(id);
  const at = Date.now();
  if (!press || at > press.at + settings().pressMs) throw badRequest(UNANSWERABLE);
  press.answer = { at, alert, ...(text !== undefined && { text }) };
  return true;
}

const scopeOf = ({ scope, language_code: language }: Opts<'deleteMyCommands'>): string =>
  JSON.stringify([scope ?? { type: 'default' }, language ?? '']);

function setMyCommands({ commands }: Scene, params: Opts<'setMyCommands'>): true {
  for (const { command, description } of params.commands) {
    if (!COMMAND.test(command)) throw malformed('BOT_COMMAND_INVALID');
    if (description.length < 1 || description.length > 256) throw malformed('BOT_COMMAND_DESCRIPTION_INVALID');
  }
  if (params.commands.length > 100) throw malformed('BOT_COMMANDS_TOO_MUCH');
  commands.set(scopeOf(params), [...params.commands]);
  return true;
}

function getFile({ files }: Scene, { file_id: id }: Opts<'getFile'>): File {
  const path = `photos/${id}.jpg`;
  const bytes = files.get(path);
  if (!bytes) throw badRequest('invalid file_id');
  return { file_id: id, file_unique_id: `u${id}`, file_size: bytes.length, file_path: path };
}

function setWebhook({ webhook, queue, polling }: Scene, params: Opts<'setWebhook'>): true {
  if (params.allowed_updates) queue.allowed = params.allowed_updates;
  if (params.drop_pending_updates) queue.clear();
  polling.end('terminated by setWebhook request');
  webhook.set(params);
  return true;
}

/** What the bot can ask for. */
const METHODS: Handlers = {
  getMe: (scene) => me(scene),
  getUpdates: async ({ webhook, polling }, params, gone) => {
    const why = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    if (webhook.isSet) throw conflict(why);
    return polling.poll(params, gone);
  },
  setWebhook,
  deleteWebhook: (scene, { drop_pending_updates }) =>
    setWebhook(scene, { url: '', ...(drop_pending_updates && { drop_pending_updates }) }),
  getWebhookInfo: ({ webhook }) => webhook.info(),
  sendMessage,
  editMessageText,
  editMessageReplyMarkup,
  deleteMessage,
  sendChatAction: ({ world }, { chat_id, action, message_thread_id }) => {
    if (!ACTIONS.includes(action)) throw malformed('wrong parameter action in request');
    const chat = world.reachable(chat_id);
    topicOf(chat, message_thread_id);
    chat.typing.push(Date.now());
    return true;
  },
  sendMessageDraft,
  answerCallbackQuery,
  setMyCommands,
  deleteMyCommands: ({ commands }, params) => {
    commands.delete(scopeOf(params));
    return true;
  },
  setMessageReaction: ({ world }, { chat_id, message_id, reaction = [] }) => {
    const told = world.reachable(chat_id).messages.get(message_id);
    if (!told || told.deletedAt !== undefined) throw badRequest('message to react not found');
    const [first] = reaction;
    const emoji = first && 'emoji' in first ? first.emoji : undefined;
    if (emoji === undefined) Reflect.deleteProperty(told.reactions, world.bot.id);
    else told.reactions[world.bot.id] = emoji;
    return true;
  },
  getFile,
  getChatAdministrators: ({ world }, { chat_id: chatId }) => {
    const chat = world.reachable(chatId);
    if (chat.kind === 'private') throw badRequest('there are no administrators in the private chat');
    // Whoever is named first has made the group. Bots are not in the list.
    const creators = [...chat.members].slice(0, 1);
    return creators.map((id) => ({ status: 'creator', user: world.person(id), is_anonymous: false }));
  },
  leaveChat: (scene, { chat_id }) => {
    const chat = scene.world.reachable(chat_id);
    if (chat.kind === 'private') throw malformed("chat member status can't be changed in private chats");
    botMoved(scene, chat, scene.world.bot, 'left');
    return true;
  },
};

/**
 * Does what the bot asks. Method and parameters were judged before.
 * @param gone when the caller went away
 * @throws Refusal
 */
export async function perform(scene: Scene, method: string, params: object, gone: AbortSignal): Promise<unknown> {
  const handler = METHODS[method as Method] as (scene: Scene, params: object, gone: AbortSignal) => unknown;
  return handler(scene, params, gone);
}
