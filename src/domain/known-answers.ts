import type { Entitlement } from '../contracts/access.js';
import type { KnownQuestion } from '../contracts/request.js';

/** What the database knows about who asks, and where. */
export interface KnownFacts {
  /** Its script decides the language of the answer. */
  prompt: string;
  dao: { id: string; name: string; facts: Readonly<Record<string, string>> };
  roles: readonly string[];
  entitlements: readonly string[];
}

/** Sentences of one language. */
interface Phrases {
  rights: Readonly<Record<Entitlement, string>>;
  help(dao: string): string;
  /** What everybody may ask, whoever they are. */
  always: readonly string[];
  may: string;
  mayNothing: string;
  dao(name: string, id: string): string;
  facts: string;
  noFacts: string;
  /** How facts are called that most DAOs have, in the order in which they are told. */
  named: Readonly<Record<string, string>>;
  roles(roles: string, dao: string): string;
}

const ENGLISH: Phrases = {
  rights: {
    'chat.read': 'ask for help, for the facts of the DAO and for your own roles',
    'chat.write': 'ask the assistant anything',
    'agent.devtools': 'use the development tools',
    'agent.crew': 'start crews of agents',
    'proposal.create': 'make proposals',
    'proposal.vote': 'vote on proposals',
    'proposal.execute': 'carry out proposals that were accepted',
    'member.invite': 'admit members',
    'member.remove': 'remove members',
    'config.update': 'change the settings of the DAO',
    'audit.read': 'read the audit',
    'key.manage': 'make and revoke keys',
    'ops.read': 'see how the system is doing',
    'platform.admin': 'administer the whole platform',
  },
  help: (dao) => `I am the assistant of ${dao}.`,
  always: ['“What is this DAO?” tells its facts.', '“What are my roles?” tells what you are and may do.'],
  may: 'You may:',
  mayNothing: 'Your roles allow you nothing here.',
  dao: (name, id) => `${name} (${id})`,
  facts: 'What is known about it:',
  noFacts: 'Nothing more is on record about it.',
  named: { purpose: 'Purpose', projects: 'Projects', joining: 'Joining', voting: 'Voting' },
  roles: (roles, dao) => `Your roles in ${dao}: ${roles}.`,
};

const UKRAINIAN: Phrases = {
  rights: {
    'chat.read': 'питати про допомогу, про факти DAO та про власні ролі',
    'chat.write': 'питати помічника про будь-що',
    'agent.devtools': 'користуватися інструментами розробки',
    'agent.crew': 'запускати команди агентів',
    'proposal.create': 'створювати пропозиції',
    'proposal.vote': 'голосувати за пропозиції',
    'proposal.execute': 'виконувати прийняті пропозиції',
    'member.invite': 'приймати учасників',
    'member.remove': 'вилучати учасників',
    'config.update': 'змінювати налаштування DAO',
    'audit.read': 'читати аудит',
    'key.manage': 'створювати й відкликати ключі',
    'ops.read': 'бачити стан системи',
    'platform.admin': 'керувати всією платформою',
  },
  help: (dao) => `Я помічник DAO «${dao}».`,
  always: ['«Що це за DAO?» — розповім, що про неї відомо.', '«Які мої ролі?» — скажу, хто ви і що можете.'],
  may: 'Ви можете:',
  mayNothing: 'Ваші ролі нічого тут не дозволяють.',
  dao: (name, id) => `${name} (${id})`,
  facts: 'Що про неї відомо:',
  noFacts: 'Більше нічого про неї не записано.',
  named: { purpose: 'Мета', projects: 'Проєкти', joining: 'Як приєднатися', voting: 'Голосування' },
  roles: (roles, dao) => `Ваші ролі в DAO «${dao}»: ${roles}.`,
};

/** What an entitlement allows, as the end of "you may". */
export const rightWords = (language: 'uk' | 'en', entitlement: Entitlement): string =>
  (language === 'uk' ? UKRAINIAN : ENGLISH).rights[entitlement];

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** Ukrainian for a prompt that is mostly Cyrillic, else English. */
const phrasesFor = (prompt: string): Phrases =>
  count(prompt, /\p{Script=Cyrillic}/gu) > count(prompt, /\p{Script=Latin}/gu) ? UKRAINIAN : ENGLISH;

const bullets = (lines: readonly string[]): string[] => lines.map((line) => `- ${line}`);

function rightsIn({ rights, may, mayNothing }: Phrases, entitlements: readonly string[]): string[] {
  const known = entitlements.filter((name): name is Entitlement => Object.hasOwn(rights, name));
  return known.length > 0 ? [may, ...bullets(known.map((name) => rights[name]))] : [mayNothing];
}

/** What is known of a DAO, each in a line: what most have first, then the rest by its names. */
function factLines(facts: KnownFacts['dao']['facts'], { named }: Phrases): string[] {
  const first = Object.keys(named).filter((name) => Object.hasOwn(facts, name));
  const rest = Object.keys(facts).filter((name) => !Object.hasOwn(named, name));
  return [...first, ...rest.toSorted()].map(
    (name) => `${(Object.hasOwn(named, name) ? named[name] : undefined) ?? readable(name)}: ${facts[name] ?? ''}`,
  );
}

/** `opening_hours` as people read it: `Opening hours`. */
function readable(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

const ANSWERS: Readonly<Record<KnownQuestion, (phrases: Phrases, facts: KnownFacts) => string[]>> = {
  help: (phrases, { dao, entitlements }) => [
    phrases.help(dao.name),
    ...rightsIn(phrases, entitlements),
    ...phrases.always,
  ],
  dao: (phrases, { dao }) => {
    const facts = factLines(dao.facts, phrases);
    return [
      phrases.dao(dao.name, dao.id),
      ...(facts.length > 0 ? [phrases.facts, ...bullets(facts)] : [phrases.noFacts]),
    ];
  },
  roles: (phrases, { dao, roles, entitlements }) => [
    phrases.roles(roles.join(', '), dao.name),
    ...rightsIn(phrases, entitlements),
  ],
};

/** Answers a question from what the database knows, in the language of its prompt. No model is asked. */
export const knownAnswer = (question: KnownQuestion, facts: KnownFacts): string =>
  ANSWERS[question](phrasesFor(facts.prompt), facts).join('\n');
