import { z } from 'zod';

const interval = z.number().int().min(1).max(60_000);

/** What bots take in, and how they write. */
export const BotsSchema = z
  .strictObject({
    messages_per_minute: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe('Most messages of one person in one DAO that are answered in a minute, in all chats together.'),
    waiting_per_chat: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(50)
      .describe('Most messages that wait in one chat; what comes beyond them is not answered.'),
    join_within_ms: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(0)
      .describe(
        'Plain messages that somebody sends within so many milliseconds of one another are answered as one. 0: each by itself.',
      ),
    keep_days: z
      .number()
      .int()
      .min(7)
      .max(36_500)
      .default(90)
      .describe('For so many days messages of chats that are done are kept, with the replies to them.'),
    telegram: z
      .strictObject({
        calls_per_second: z
          .number()
          .int()
          .min(1)
          .max(1_000)
          .default(28)
          .describe('Most calls of the bot in a second, to all chats together. Telegram allows about 30.'),
        chat_interval_ms: interval
          .default(1_050)
          .describe('Least time between two changes in a private chat, in milliseconds.'),
        group_interval_ms: interval
          .default(4_000)
          .describe('The same in a group, where Telegram allows 20 in a minute.'),
      })
      .prefault({})
      .describe('The pace of Telegram. Read when a process starts.'),
  })
  .prefault({})
  .describe('Bots of Telegram and Discord.');
