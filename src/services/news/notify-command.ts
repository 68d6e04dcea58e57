import type { Language, ReplyContent } from '../../contracts/dialog.js';
import { TOPICS, type Preferences, type Topic } from '../../contracts/news.js';
import { bold, lines } from '../../domain/dialog/rich.js';
import { newsPhrasesIn, type NewsPhrases } from '../../domain/news/phrases.js';
import { clockTime, minuteOfDay, quietHoursIn, timeZoneIn } from '../../domain/news/quiet-hours.js';
import { AppError } from '../../errors/app-error.js';
import { BOTS_KEY } from '../dialogs/turn.js';
import type { PreferencesPatch, PreferencesService } from './preferences.service.js';

/** Who says it, where, and what stands behind the command. */
export interface NotifyAsked {
  daoId: string;
  userId: string;
  language: Language;
  args: string;
}

/** Words by which people switch something, in both languages. */
const ON = ['on', 'unmute', 'так', 'увімкнути'];
const OFF = ['off', 'mute', 'none', 'ні', 'вимкнути'];
const QUIET = ['quiet', 'тиша', 'тихо'];
const ZONE = ['zone', 'пояс'];

/**
 * `/notify`: shows what somebody wants to hear of, or changes it.
 * @throws AppError those of access
 */
export async function notifyCommand(
  preferences: Pick<PreferencesService, 'get' | 'change'>,
  { daoId, userId, language, args }: NotifyAsked,
): Promise<ReplyContent> {
  const phrases = newsPhrasesIn(language);
  const named = { daoId, userId };
  const meant = patchOf(args);
  try {
    if (meant === undefined) return shown(await preferences.get(BOTS_KEY, named), phrases, phrases.settingsUnknown);
    if ('unknownZone' in meant) {
      return shown(await preferences.get(BOTS_KEY, named), phrases, phrases.timeZoneUnknown(meant.unknownZone));
    }
    const isChange = Object.keys(meant).length > 0;
    const now = isChange ? await preferences.change(BOTS_KEY, named, meant) : await preferences.get(BOTS_KEY, named);
    return shown(now, phrases);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'MEMBER_NOT_FOUND') throw error;
    return { body: lines([phrases.onlyMembers]), buttons: [] };
  }
}

/** What words behind the command change; undefined: nobody knows. */
function patchOf(args: string): PreferencesPatch | { unknownZone: string } | undefined {
  const [word = '', ...rest] = args.trim().split(/\s+/);
  const value = rest.join(' ');
  const name = word.toLowerCase();
  if (name === '') return {};
  if (QUIET.includes(name)) return quietPatch(value);
  if (ZONE.includes(name)) return zonePatch(value);
  const topics = topicsOf(value.toLowerCase());
  if (!topics) return undefined;
  if (ON.includes(name)) return { unmute: topics };
  return OFF.includes(name) ? { mute: topics } : undefined;
}

function zonePatch(value: string): ReturnType<typeof patchOf> {
  // Whoever names none wants to see it.
  if (value === '') return {};
  const timeZone = timeZoneIn(value);
  return timeZone === undefined ? { unknownZone: value } : { timeZone };
}

function quietPatch(value: string): PreferencesPatch | undefined {
  if (value === '') return {};
  if (OFF.includes(value.toLowerCase())) return { quiet: null };
  const quiet = quietHoursIn(value);
  return quiet && { quiet };
}

/** Topics by what people call them in either language; all where none is named. */
function topicsOf(word: string): readonly Topic[] | undefined {
  if (word === '') return TOPICS;
  const books = [newsPhrasesIn('en'), newsPhrasesIn('uk')];
  const found = TOPICS.find((topic) => books.some(({ topicWords }) => topicWords[topic].includes(word)));
  return found && [found];
}

function shown({ muted, quiet, timeZone }: Preferences, phrases: NewsPhrases, problem?: string): ReplyContent {
  const body = lines([
    problem,
    bold(phrases.settings),
    ...TOPICS.map((topic) => `• ${phrases.topics[topic]}: ${muted.includes(topic) ? phrases.isOff : phrases.isOn}`),
    quiet ? phrases.quiet(clockTime(quiet.from), clockTime(quiet.to)) : phrases.neverQuiet,
    // With what their clock shows people see whether it is theirs.
    phrases.timeZone(timeZone, clockTime(minuteOfDay(new Date(), timeZone))),
    phrases.settingsHelp,
  ]);
  return { body, buttons: [] };
}
