import type { Language } from '../../contracts/dialog.js';

/** What is said at once, before anybody has looked at what was asked. */
export interface Words {
  notAccepted: string;
  full: string;
  stopping: string;
  unknown: string;
  elsewhere: string;
  noDao: string;
  emptyForm: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    notAccepted: '⚠️ That was not accepted, and nothing has begun. Try again in a moment.',
    full: 'Too many messages are waiting here. I answer those first; please send this one again later.',
    stopping: '✋ Stopping.',
    unknown: 'I do not know this command any more. See /help for what I can do.',
    elsewhere: 'I answer in servers that I was added to, and in direct messages to me.',
    noDao:
      'No DAO is linked to this place yet, so there is nobody whom I could answer for. An admin of a DAO can link it.',
    emptyForm: 'A proposal needs a title and a text.',
  },
  uk: {
    notAccepted: '⚠️ Це не прийнято, нічого не розпочато. Спробуйте ще раз за мить.',
    full: 'Тут чекає забагато повідомлень. Спершу я відповім на них; надішліть це, будь ласка, пізніше.',
    stopping: '✋ Зупиняю.',
    unknown: 'Цієї команди я вже не знаю. Що я вмію, показує /help.',
    elsewhere: 'Я відповідаю на серверах, куди мене додали, і в особистих повідомленнях до мене.',
    noDao:
      'З цим місцем ще не повʼязано жодного DAO, тож мені нема від чийого імені відповідати. Повʼязати може адмін DAO.',
    emptyForm: 'Пропозиції потрібні заголовок і текст.',
  },
};

/** The language of somebody's Discord, as far as we speak it. */
export const languageOf = (locale: string | undefined): Language => (locale?.startsWith('uk') === true ? 'uk' : 'en');

export const wordsFor = (locale: string | undefined): Words => WORDS[languageOf(locale)];
