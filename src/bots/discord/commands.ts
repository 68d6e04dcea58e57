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
  words: Words;
  options: readonly DiscordOption[];
}

const aText = (name: string, isRequired: boolean, uk: string, en: string): DiscordOption => ({
  ...{ name, kind: 'text', isRequired },
  words: { uk, en },
});

const PROPOSAL: DiscordOption = {
  ...{ name: 'n', kind: 'number', isRequired: true, suggestsProposals: true },
  words: { uk: 'Номер пропозиції', en: 'Number of the proposal' },
};

const command = (
  name: string,
  first: First,
  uk: string,
  en: string,
  ...options: readonly DiscordOption[]
): DiscordCommand => ({ name, first, words: { uk, en }, options });

/** All commands. They say what the same ones say in other chats; `ask` is what is plain text there. */
export const DISCORD_COMMANDS: readonly DiscordCommand[] = [
  command(
    'ask',
    'shown',
    'Запитати про що завгодно',
    'Ask whatever you want to know',
    aText('text', true, 'Ваше запитання', 'Your question'),
  ),
  command('help', 'alone', 'Що я вмію', 'What I can do'),
  command(
    'dao',
    'shown',
    'Показати або вибрати DAO',
    'Show the DAO, or choose another',
    aText('id', false, 'Ідентифікатор DAO', 'Id of a DAO'),
  ),
  command('role', 'alone', 'Ваші ролі та права', 'Your roles and what they allow'),
  command(
    'onboard',
    'shown',
    'Познайомитися з DAO',
    'Get to know the DAO',
    aText('about', false, 'Що вас цікавить', 'What interests you'),
  ),
  command(
    'propose',
    'form',
    'Запропонувати щось DAO',
    'Propose something to the DAO',
    aText('text', false, 'Заголовок і текст; без них відкриється форма', 'Title and text; without them a form opens'),
  ),
  command('proposals', 'shown', 'Пропозиції DAO', 'Proposals of the DAO'),
  command('review', 'shown', 'Розглянути пропозицію', 'Have a proposal reviewed', PROPOSAL),
  command('vote', 'shown', 'Проголосувати за пропозицію', 'Vote on a proposal', PROPOSAL),
  command(
    'decompose',
    'shown',
    'Розкласти завдання на кроки',
    'Take a task apart into steps',
    aText('task', true, 'Завдання', 'The task'),
  ),
  command(
    'code_review',
    'shown',
    'Переглянути код',
    'Have code reviewed',
    aText('path', true, 'Шлях у робочій теці', 'Path in the workspace'),
  ),
  command('status', 'alone', 'Що зараз відбувається', 'What is going on'),
  command('why', 'alone', 'Чому відповідь саме така', 'Why the last answer is what it is'),
  command('cost', 'alone', 'Скільки це коштувало', 'What it has cost'),
  command(
    'language',
    'alone',
    'Якою мовою я говорю про себе',
    'The language in which I speak of myself',
    aText('language', false, 'uk або en', 'uk or en'),
  ),
  command(
    'link',
    'shown',
    'Прив’язати цей сервер до вашої DAO',
    'Make this server belong to your DAO',
    aText('dao', false, 'Ідентифікатор DAO; off скасовує', 'Id of the DAO; off ends it'),
  ),
  command('stop', 'said', 'Зупинити відповідь', 'Stop what I am answering you'),
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
