import type { BotCommand } from 'grammy/types';
import type { Polling } from './polling.js';
import type { FakeTelegramSettings } from './settings.js';
import type { UpdateQueue } from './updates.js';
import type { Webhook } from './webhook.js';
import type { World } from './world.js';

/** A button that somebody pressed. */
export interface Press {
  id: string;
  at: number;
  chat: number;
  message: number;
  person: number;
  data: string;
  /** What the bot said to it. */
  answer?: { at: number; text?: string; alert: boolean };
}

/** All that there is, for methods of the bot and deeds of people alike. */
export interface Scene {
  world: World;
  queue: UpdateQueue;
  polling: Polling;
  webhook: Webhook;
  presses: Map<string, Press>;
  /** By scope and language, as JSON. */
  commands: Map<string, BotCommand[]>;
  /** Bytes by path. */
  files: Map<string, Buffer>;
  settings: () => FakeTelegramSettings;
}
