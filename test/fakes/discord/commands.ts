import type { CallFault, SettingsChange } from './settings.js';
import type { Sending, Sent } from './sender.js';
import type { RegisteredCommand, ToldMessage } from './world.js';

/** A call of the application, and what became of it. */
export interface CallRecord {
  at: number;
  operation: string;
  /** The channel, or the interaction. */
  of: string;
  body: unknown;
  /** Zero: no answer was sent. */
  status: number;
  /** Whether it was done, whatever was answered. */
  isDone: boolean;
  isByBot: boolean;
}

/** What can be asked of a fake from outside, and what comes of it: `POST /control/COMMAND`. */
export interface Commands {
  facts: { in: object; out: { applicationId: string; publicKey: string; botToken: string; apiRoot: string } };
  send: { in: Sending; out: Sent };
  set: { in: SettingsChange; out: null };
  fail: { in: { faults: CallFault[] }; out: null };
  reset: { in: object; out: null };
  /** Makes a channel, or lets the bot into one or out of it. */
  channel: { in: { id: string; guild?: string; isBotHere?: boolean }; out: null };
  /** A person deletes a message. */
  erase: { in: { channel: string; id: string }; out: null };
  transcript: { in: { channel: string }; out: ToldMessage[] };
  typing: { in: { channel: string }; out: number[] };
  registered: { in: { guild?: string }; out: RegisteredCommand[] };
  calls: { in: { operation?: string; of?: string }; out: CallRecord[] };
  violations: { in: object; out: string[] };
}
export type Command = keyof Commands;

/** A fake, in this process or another one. */
export interface DiscordDriver {
  act<C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']>;
}
