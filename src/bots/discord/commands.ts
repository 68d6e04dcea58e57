import type { CommandName } from '../../contracts/conversation.js';
import type { Language } from '../../contracts/dialog.js';

type Words = Readonly<Record<Language, string>>;

/** What stands behind a command. */
export interface DiscordOption {
  name: string;
  kind: 'text' | 'number';
  isRequired: boolean;
  words: Words;
  /** Whether proposals are suggested while it is typed. */
  suggestsProposals?: true;
}

/**
 * How a command is answered at once. `shown`: everybody sees the answer; `alone`: its person alone does; `said`: nothing
 * follows but a word; `form`: a form is shown if nothing is said with it, else as `shown`.
 */
type First = 'shown' | 'alone' | 'said' | 'form';

/** A command in Discord's menu. */
export interface DiscordCommand {
  name: string;
  first: First;
  options: readonly DiscordOption[];
}

/** The one command that is plain text in other chats, and so is described here alone. */
export const PLAIN = {
  name: 'ask',
  words: { uk: 'запитати про що завгодно', en: 'ask whatever you want to know' },
} as const;

const command = (
  name: CommandName | typeof PLAIN.name,
  first: First,
  ...options: readonly DiscordOption[]
): DiscordCommand => ({ name, first, options });

const needed = (name: string, words: Words): DiscordOption => ({ name, kind: 'text', isRequired: true, words });
const free = (name: string, words: Words): DiscordOption => ({ ...needed(name, words), isRequired: false });

const PROPOSAL: DiscordOption = {
  ...{ name: 'n', kind: 'number', isRequired: true, suggestsProposals: true },
  words: { uk: 'Номер пропозиції', en: 'Number of the proposal' },
};
const FORM_OPENS = {
  uk: 'Заголовок і текст; без них відкриється форма',
  en: 'Title and text; without them a form opens',
};

const CHANGES = {
  uk: 'off пропозиції, on пропозиції, quiet 22:00-8:00, zone Kyiv',
  en: 'off proposals, on proposals, quiet 22:00-8:00, zone Kyiv',
};

/** Commands as people use them here. They do what the same ones do in other chats, and are described in the same words. */
export const DISCORD_COMMANDS: readonly DiscordCommand[] = [
  command(PLAIN.name, 'shown', needed('text', { uk: 'Ваше запитання', en: 'Your question' })),
  command('help', 'alone'),
  command('dao', 'shown', free('id', { uk: 'Ідентифікатор DAO', en: 'Id of a DAO' })),
  command('role', 'alone'),
  command('onboard', 'shown', free('about', { uk: 'Що вас цікавить', en: 'What interests you' })),
  command('propose', 'form', free('text', FORM_OPENS)),
  command('proposals', 'shown'),
  command('review', 'shown', PROPOSAL),
  command('vote', 'shown', PROPOSAL),
  command('decompose', 'shown', needed('task', { uk: 'Завдання', en: 'The task' })),
  command('code_review', 'shown', needed('path', { uk: 'Шлях у робочій теці', en: 'Path in the workspace' })),
  command('status', 'alone'),
  command('why', 'alone'),
  command('cost', 'alone'),
  command('notify', 'alone', free('change', CHANGES)),
  command('language', 'alone', free('language', { uk: 'uk або en', en: 'uk or en' })),
  command('link', 'alone', free('dao', { uk: 'Ідентифікатор DAO; off скасовує', en: 'Id of the DAO; off ends it' })),
  command('stop', 'said'),
];

const BY_NAME = new Map(DISCORD_COMMANDS.map((one) => [one.name, one]));

export const discordCommand = (name: string): DiscordCommand | undefined => BY_NAME.get(name);

/** The form in which a proposal is written. */
export const PROPOSAL_FORM = {
  id: 'propose',
  title: { id: 'title', longest: 200, words: { uk: 'Заголовок', en: 'Title' } },
  text: { id: 'text', longest: 4_000, words: { uk: 'Текст', en: 'Text' } },
  words: { uk: 'Нова пропозиція', en: 'A new proposal' },
} as const;
