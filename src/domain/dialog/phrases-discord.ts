import type { Language } from '../../contracts/dialog.js';
import type { Phrases } from './phrase-book.js';
import { ENGLISH } from './phrases-en.js';
import { UKRAINIAN } from './phrases-uk.js';

/** What is said in other words in Discord: there are servers there and no groups, and commands alone are heard. */
export const IN_DISCORD: Readonly<Record<Language, Partial<Phrases>>> = {
  en: {
    commands: {
      ...ENGLISH.commands,
      dao: 'what is known about the DAO; in a direct message also another one of yours',
      link: 'make this server belong to your DAO',
    },
    usage: {},
    helpWords: 'Ask me anything with /ask.',
    onlyPrivate: (command) => `/${command} works in a direct message to me only.`,
    onlyGroup: (command) => `/${command} works in a server only.`,
    groupOfNone:
      'This server does not belong to a DAO yet. Whoever manages it and may change the settings of a DAO can link it with /link.',
    daoOnlyPrivate:
      'Which DAO a server belongs to is set by its admin with /link; you choose in a direct message to me.',
    linked: (dao) => `Done: this server belongs to ${dao} from now on.`,
    linkedAlready: (dao) => `This server belongs to ${dao} already.`,
    linkedElsewhere: 'This server belongs to another DAO. An admin of that one can end it: /link with “off”.',
    unlinked: (dao) => `Done: this server does not belong to ${dao} any more.`,
    notLinked: 'This server does not belong to that DAO.',
    linkNeedsRuler: 'Only whoever manages this server can say to which DAO it belongs.',
    linkNone: 'You are not a member of a DAO that you could link this server to.',
    linkWhich: (daos) => `Which DAO? Use /link with one of: ${daos}.`,
    languageWhich: 'I speak Ukrainian and English: /language with “uk” or “en”.',
    messagesWait: (many) => (many === 1 ? 'One command of yours waits here.' : `${many} commands of yours wait here.`),
  },
  uk: {
    commands: {
      ...UKRAINIAN.commands,
      dao: 'що відомо про DAO; в особистих повідомленнях ще й вибір іншої з ваших',
      link: 'прив’язати цей сервер до вашої DAO',
    },
    usage: {},
    helpWords: 'Запитайте про будь-що командою /ask.',
    onlyPrivate: (command) => `/${command} працює лише в особистих повідомленнях до мене.`,
    onlyGroup: (command) => `/${command} працює лише на сервері.`,
    groupOfNone:
      'Цей сервер ще не належить до жодної DAO. Прив’язати його командою /link може той, хто ним керує й має право змінювати налаштування DAO.',
    daoOnlyPrivate:
      'До якої DAO належить сервер, визначає її адміністратор командою /link; ви обираєте в особистих повідомленнях.',
    linked: (dao) => `Готово: відтепер цей сервер належить до DAO «${dao}».`,
    linkedAlready: (dao) => `Цей сервер уже належить до DAO «${dao}».`,
    linkedElsewhere: 'Цей сервер належить до іншої DAO. Її адміністратор може це скасувати: /link зі словом «off».',
    unlinked: (dao) => `Готово: цей сервер більше не належить до DAO «${dao}».`,
    notLinked: 'Цей сервер не належить до цієї DAO.',
    linkNeedsRuler: 'Лише той, хто керує цим сервером, може сказати, до якої DAO він належить.',
    linkNone: 'Немає DAO, до якої ви могли б прив’язати цей сервер.',
    linkWhich: (daos) => `До якої DAO? Додайте до /link одну з цих: ${daos}.`,
    languageWhich: 'Я говорю українською й англійською: /language зі словом «uk» або «en».',
    messagesWait: (many) => `Тут чекає ваших команд: ${many}.`,
  },
};
