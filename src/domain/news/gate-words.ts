import type { NewsPhrases } from './phrase-book.js';
import { cut, lines, type Piece } from '../dialog/rich.js';
import { shownWords } from '../dialog/shown-words.js';

/** Most characters of what somebody said of themselves, or of a reason, that are shown. */
const MOST = 300;

/** What is asked of people: in words, with what it is about, and with what its run was given. */
export interface AskedWords {
  ask: string;
  shown: Readonly<Record<string, unknown>>;
  inputs: Readonly<Record<string, unknown>>;
}

/** What is asked, as paragraphs: whether somebody gets a role in one sentence, everything else as it is. */
export function gateWords({ ask, shown, inputs }: AskedWords, phrases: NewsPhrases): Piece[] {
  const given = roleGiven(shown);
  if (!given) return [ask, shownWords(shown)].filter((part) => part !== '');
  const { name, about } = inputs;
  const said = short(about);
  const why = short(isRecord(shown.output) ? shown.output.reason : undefined);
  const more = [said && phrases.theySay(said), why && phrases.whySo(why)].filter((line) => line !== undefined);
  const question = phrases.giveRole(short(name), given.userId, given.role);
  return more.length === 0 ? [question] : [question, lines(more)];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Words of others in one line; undefined: there are none. */
function short(value: unknown): string | undefined {
  const words = typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').trim() : '';
  return words === '' ? undefined : cut(words, MOST);
}

/** Which role is given to whom, once it is approved; undefined: something else is done, or nothing. */
function roleGiven({ action }: Readonly<Record<string, unknown>>): { role: string; userId: string } | undefined {
  if (!isRecord(action) || action.action !== 'assign_role') return undefined;
  const { role, user_id: userId } = action;
  return typeof role === 'string' && typeof userId === 'string' ? { role, userId } : undefined;
}
