import { z } from 'zod';
import type { CallOptions } from '../../contracts/chat.js';

/** Whether a model is to think before it answers, and how long where it can be told. Undefined: nothing is said. */
export type Think = boolean | 'low' | 'medium' | 'high' | undefined;

const flag = z.boolean().optional().catch(undefined);

/** The dialects' ways to say it. */
const Wishes = z.object({
  think: z.union([z.boolean(), z.string()]).optional().catch(undefined),
  enable_thinking: flag,
  thinking: z.object({ type: z.string() }).optional().catch(undefined),
  chat_template_kwargs: z.object({ enable_thinking: flag }).optional().catch(undefined),
});

const OFF: readonly string[] = ['none', 'disabled', 'off', 'false'];

/** What a client wants: a word or a yes or no, by whichever field says it; undefined: it says nothing. */
function wishOf({ reasoningEffort, dialect = {} }: CallOptions): string | boolean | undefined {
  const { think, enable_thinking, thinking, chat_template_kwargs } = Wishes.parse(dialect);
  return reasoningEffort ?? think ?? enable_thinking ?? thinking?.type ?? chat_template_kwargs?.enable_thinking;
}

/** Whether a client wants its model to think; nobody else does. */
export function wantsThinking(options: CallOptions | undefined): boolean {
  const wish = options && wishOf(options);
  return typeof wish === 'string' ? !OFF.includes(wish) : wish === true;
}

const LEVELS: Readonly<Record<string, Think>> = { minimal: 'low', low: 'low', medium: 'medium' };
const HIGH: readonly string[] = ['high', 'xhigh', 'max'];

/** How long, for the models that know levels; others know only yes and no. */
function levelOf(options: CallOptions): Think {
  const wish = String(wishOf(options));
  if (HIGH.includes(wish)) return 'high';
  return Object.hasOwn(LEVELS, wish) ? LEVELS[wish] : true;
}

/**
 * What to send for `think`, the best first: hosts of different ages refuse different ones of them.
 * @param able whether the model can, as far as is known; `levels`: it can be told how long
 */
export function thinkAttempts(options: CallOptions | undefined, able: { thinks: boolean; levels: boolean }): Think[] {
  if (options === undefined || !able.thinks || !wantsThinking(options)) return [false, undefined];
  const level = able.levels ? levelOf(options) : true;
  return [...new Set([level, true, false, undefined])];
}
