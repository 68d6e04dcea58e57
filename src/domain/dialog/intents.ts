import { RE2JS } from 're2js';
import type { Intent, Wording } from '../../contracts/conversation.js';
import type { Command } from './command.js';

/** How a pattern of an intent is compiled: without regard to upper and lower case. */
const FLAGS = RE2JS.CASE_INSENSITIVE;

/** Finds the command that a message in words means, if it means one. */
export type IntentMatcher = (text: string) => Command | undefined;

interface Compiled extends Intent {
  compiled: readonly RE2JS[];
}

/** Compiles wording once. The first intent of which a pattern matches the whole message is the one. */
export function intentMatcher({ intents, fillers }: Wording): IntentMatcher {
  const all = intents.map((intent): Compiled => ({
    ...intent,
    compiled: intent.patterns.map((pattern) => RE2JS.compile(pattern, FLAGS)),
  }));
  const without = [...fillers].toSorted((a, b) => b.length - a.length).map((one) => one.toLowerCase());
  return (text) => {
    const length = Array.from(text.trim()).length;
    if (length === 0 || !all.some(({ maxLength }) => length <= maxLength)) return undefined;
    const words = bare(text, without);
    for (const intent of all) {
      const found = length <= intent.maxLength ? match(intent, words) : undefined;
      if (found) return found;
    }
    return undefined;
  };
}

function match({ command, args, compiled }: Compiled, words: string): Command | undefined {
  for (const pattern of compiled) {
    const matcher = pattern.matcher(words);
    if (!matcher.matches()) continue;
    const groups = Object.keys(pattern.namedGroups());
    const filled = groups.reduce((text, name) => text.replaceAll(`{${name}}`, matcher.group(name) ?? ''), args);
    return { name: command, args: filled.replace(/\{\w+\}/g, '').trim() };
  }
  return undefined;
}

/** A message in one line, without what ends or decorates it. */
function bare(text: string, fillers: readonly string[]): string {
  let words = text.replace(/\s+/gu, ' ').trim();
  for (let before = ''; before !== words;) {
    before = words;
    words = words.replace(/^[\s,.!?…:;–—-]+|[\s,.!?…:;–—-]+$/gu, '');
    const lower = words.toLowerCase();
    for (const filler of fillers) {
      if (lower.startsWith(filler) && /^[\s,.!?:;–—-]/u.test(words.slice(filler.length))) {
        words = words.slice(filler.length);
        break;
      }
      if (lower.endsWith(filler) && /[\s,.!?:;–—-]$/u.test(words.slice(0, -filler.length))) {
        words = words.slice(0, -filler.length);
        break;
      }
    }
  }
  return words;
}
