import { z } from 'zod';
import { text } from './common.js';

const snowflake = z.string().regex(/^\d{1,20}$/);

const UserSchema = z.object({ id: snowflake, username: text.optional(), global_name: text.nullish() });

/** Kinds of interactions. */
export const INTERACTION = { ping: 1, command: 2, component: 3, autocomplete: 4, modal: 5 } as const;

/** Where an interaction is. */
export const CONTEXT = { guild: 0, bot: 1, others: 2 } as const;

const head = {
  id: snowflake,
  application_id: snowflake,
  token: z.string().min(1).max(1_000),
  channel_id: snowflake.optional(),
  guild_id: snowflake.optional(),
  context: z.number().int().nullish(),
  locale: text.optional(),
  /** Of an interaction in a guild. */
  member: z.object({ user: UserSchema, nick: text.nullish() }).optional(),
  /** Of any other. */
  user: UserSchema.optional(),
};

const OptionSchema = z.object({
  name: z.string(),
  value: z.union([text, z.number(), z.boolean()]).optional(),
  focused: z.boolean().optional(),
});
const commandData = z.object({ name: z.string(), options: z.array(OptionSchema).default([]) });

/** A field of a form, wherever it stands in it. */
const FieldSchema = z.object({ custom_id: z.string(), value: text.default('') });
const FormPartSchema = z.union([
  z.object({ components: z.array(FieldSchema) }).transform(({ components }) => components),
  z.object({ component: FieldSchema }).transform(({ component }) => [component]),
  z.unknown().transform(() => []),
]);

/** What comes in from Discord, as far as it is read. */
export const DiscordInteractionSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal(INTERACTION.ping) }),
  z.object({ type: z.literal(INTERACTION.command), ...head, data: commandData }),
  z.object({ type: z.literal(INTERACTION.autocomplete), ...head, data: commandData }),
  z.object({
    type: z.literal(INTERACTION.component),
    ...head,
    data: z.object({ custom_id: text }),
    message: z.object({ id: snowflake, flags: z.number().int().default(0) }),
  }),
  z.object({
    type: z.literal(INTERACTION.modal),
    ...head,
    data: z.object({
      custom_id: z.string(),
      components: z.array(FormPartSchema).transform((parts) => parts.flat()),
    }),
  }),
]);
export type DiscordInteraction = z.infer<typeof DiscordInteractionSchema>;
type OfKind<K extends keyof typeof INTERACTION> = Extract<DiscordInteraction, { type: (typeof INTERACTION)[K] }>;
export type DiscordCommandCall = OfKind<'command'>;
export type DiscordTyping = OfKind<'autocomplete'>;
export type DiscordPress = OfKind<'component'>;
export type DiscordForm = OfKind<'modal'>;
/** Whatever somebody does. */
export type DiscordDeed = Exclude<DiscordInteraction, { type: typeof INTERACTION.ping }>;
