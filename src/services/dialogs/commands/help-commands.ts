import type { Language, ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import type { ChatsRepository } from '../../../adapters/store/chats.repository.js';
import { button } from '../../../domain/dialog/buttons.js';
import { commandsFor } from '../../../domain/dialog/commands.js';
import { phrasesIn, type Phrases } from '../../../domain/dialog/phrases.js';
import { lines } from '../../../domain/dialog/rich.js';
import { knownAnswer } from '../../../domain/known-answers.js';
import { tagOf } from '../tags.js';
import { paragraphs, said, type Asked, type Handlers } from './asked.js';

/** A prompt in a language, for answers that go by that of the prompt. */
const IN_LANGUAGE: Readonly<Record<Language, string>> = { uk: 'я', en: 'I' };

/** An answer that the database gives, to whoever asks in a chat. */
export function knownTo(
  { turn: { language }, acting: { facts, rights } }: Asked,
  question: 'dao' | 'roles',
  about: Readonly<Record<string, string>> = {},
): string {
  const { id, name } = facts.dao;
  return knownAnswer(question, { prompt: IN_LANGUAGE[language], dao: { id, name, facts: about }, ...rights });
}

/** Which language somebody names, in whichever language they do. */
function languageNamed(text: string): Language | undefined {
  const word = text.trim().toLowerCase();
  if (/^(uk|ua|ukr|ukrainian|укр|українська|українською|україномовна)$/u.test(word)) return 'uk';
  return /^(en|eng|english|англ|англійська|англійською)$/u.test(word) ? 'en' : undefined;
}

/** What somebody may do here, who they are, and in which language they are spoken to. */
export class HelpCommands {
  readonly handlers: Handlers = {
    help: (asked) => Promise.resolve(helpFor(asked)),
    role: (asked) => Promise.resolve(said(knownTo(asked, 'roles'))),
    language: (asked) => this.language(asked),
  };

  constructor(private readonly chats: Pick<ChatsRepository, 'speak'>) {}

  private async language({ turn: { update }, args, phrases }: Asked): Promise<ReplyContent> {
    const language = languageNamed(args);
    if (!language) return said(phrases.languageWhich);
    await this.chats.speak(update.chat, language);
    return said(phrasesIn(language).languageSet);
  }
}

/** What somebody may do here, each command in one line. */
export function helpFor({ turn: { update, daoId }, acting: { facts, rights }, phrases }: Asked): ReplyContent {
  const { entitlements } = rights;
  const commands = commandsFor(entitlements, update.kind).map(
    (name) => `${phrases.usage[name] ?? `/${name}`} — ${phrases.commands[name]}`,
  );
  const mayAsk = entitlements.includes('chat.write');
  return paragraphs(
    [phrases.help(facts.dao.name), lines(commands), mayAsk ? phrases.helpWords : phrases.helpGuest],
    mayAsk ? [] : [[onboardButton(daoId, phrases)]],
  );
}

export const onboardButton = (daoId: string, { onboardButton: label }: Phrases): Button =>
  button(label, { what: 'say', command: 'onboard', tag: tagOf(daoId), args: '' });

export const helpButton = (daoId: string, { helpButton: label }: Phrases): Button =>
  button(label, { what: 'say', command: 'help', tag: tagOf(daoId), args: '' });
