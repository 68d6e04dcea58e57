import { z } from 'zod';

const interval = z.number().int().min(1).max(60_000);

/** How bots write. */
export const BotsSchema = z
  .strictObject({
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
