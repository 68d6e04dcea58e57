import { z } from 'zod';
import { text } from './common.js';

/** Numbers of people and chats, as ids of ours have them. */
const number = z.number().int().transform(String);

const UserSchema = z.object({
  id: number,
  is_bot: z.boolean().default(false),
  first_name: text.optional(),
  username: text.optional(),
  language_code: text.optional(),
});

const ChatSchema = z.object({
  id: number,
  type: z.enum(['private', 'group', 'supergroup', 'channel']),
});

/** A stretch of a text that means something; offsets and lengths in UTF-16 units. */
const EntitySchema = z.object({
  type: z.string(),
  offset: z.number().int().min(0),
  length: z.number().int().min(0),
  user: UserSchema.optional(),
});

/** Whatever is attached; what it holds is not looked at. */
const attached = z.unknown().optional();

const RepliedSchema = z.object({ message_id: number, from: UserSchema.optional() });

export const TelegramMessageSchema = z.object({
  message_id: z.number().int(),
  chat: ChatSchema,
  from: UserSchema.optional(),
  /** Of messages that a chat sends, not a person: channels, admins who stay anonymous. */
  sender_chat: z.unknown().optional(),
  is_automatic_forward: z.boolean().optional(),
  is_topic_message: z.boolean().optional(),
  message_thread_id: number.optional(),
  text: text.optional(),
  caption: text.optional(),
  entities: z.array(EntitySchema).default([]),
  caption_entities: z.array(EntitySchema).default([]),
  reply_to_message: RepliedSchema.optional(),
  migrate_to_chat_id: number.optional(),
  /** Of photos and the like that were sent together, a message each. */
  media_group_id: text.optional(),
  photo: attached,
  voice: attached,
  audio: attached,
  video: attached,
  video_note: attached,
  document: attached,
  sticker: attached,
  animation: attached,
});
export type TelegramMessage = z.infer<typeof TelegramMessageSchema>;

const CallbackSchema = z.object({
  id: z.string().max(128),
  from: UserSchema,
  message: z
    .object({
      message_id: number,
      chat: ChatSchema,
      is_topic_message: z.boolean().optional(),
      message_thread_id: number.optional(),
    })
    .optional(),
  data: text.optional(),
});

const MemberChangeSchema = z.object({
  chat: ChatSchema,
  from: UserSchema,
  date: z.number().int(),
  new_chat_member: z.object({ status: z.string() }),
});

const ReactionSchema = z.object({
  chat: ChatSchema,
  message_id: number,
  user: UserSchema.optional(),
  new_reaction: z.array(z.object({ type: z.string(), emoji: text.optional() })),
});

/** What comes in from Telegram's Bot API, as far as it is read. Other kinds of updates have none of these. */
export const TelegramUpdateSchema = z.object({
  update_id: z.number().int(),
  message: TelegramMessageSchema.optional(),
  edited_message: TelegramMessageSchema.optional(),
  callback_query: CallbackSchema.optional(),
  my_chat_member: MemberChangeSchema.optional(),
  message_reaction: ReactionSchema.optional(),
});
export type TelegramUpdate = z.infer<typeof TelegramUpdateSchema>;

/** What an update is in any case. */
export const TelegramUpdateIdSchema = z.looseObject({ update_id: z.number().int() });
