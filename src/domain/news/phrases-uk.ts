import { UKRAINIAN } from '../dialog/phrases-uk.js';
import type { NewsPhrases } from './phrase-book.js';

export const NEWS_UK: NewsPhrases = {
  locale: 'uk-UA',
  crews: UKRAINIAN.crews,

  asked: {
    approval: (crew) => `Потрібне ваше погодження: ${crew}`,
    question: (crew) => `Запитання до вас: ${crew}`,
    limit: (crew) => `Чи продовжувати: ${crew}?`,
  },
  askedInGroup: (crew) =>
    `Дещо чекає на рішення: ${crew}. Якщо ви можете його ухвалити, напишіть мені в особисті повідомлення: /status`,
  reminded: (crew) => `Нагадування, це досі чекає на вас: ${crew}`,
  giveRole: (name, id, role) => `Надати роль ${role}: ${name === undefined ? id : `${name} (${id})`}?`,
  theySay: (words) => `Про себе кажуть: «${words}»`,
  whySo: (words) => `Чому ця роль: ${words}`,
  until: (when) => `До ${when}`,
  expired: (crew) => `Час вийшов, рішення ніхто не ухвалив: ${crew}`,
  buttons: {
    approve: '✅ Погодити',
    reject: '❌ Відхилити',
    return: '↩️ Повернути',
    answer: '✍️ Відповісти',
    continue: '▶️ Продовжити',
    stop: '⏹ Зупинити',
  },
  states: {
    open: 'Чекає на рішення.',
    approved: 'Погоджено.',
    rejected: 'Відхилено.',
    returned: 'Повернуто на доопрацювання.',
    answered: 'Відповідь отримано.',
    continued: 'Робота триває.',
    expired: 'Час вийшов, рішення ніхто не ухвалив.',
    closed: 'Це вже не потребує рішення.',
  },
  decidedBy: (who, decision) => `Рішення: ${decision} (${who})`,
  decisions: {
    approve: 'погоджено',
    reject: 'відхилено',
    return: 'повернуто',
    answer: 'відповідь надано',
    continue: 'продовжити',
    stop: 'зупинити',
  },
  aMember: 'учасник DAO',

  decided: 'Ваше рішення записано. Дякую!',
  changed: 'Тим часом це змінилося: погляньте, будь ласка, ще раз.',
  decidedTwice: 'Ви вже ухвалили рішення щодо цього.',
  decidedEarlier: 'Рішення щодо цього вже ухвалено.',
  notYours: 'Це рішення не за вами.',
  askComment: 'Що варто покращити? Напишіть це наступним повідомленням.',
  askAnswer: 'Слухаю: ваше наступне повідомлення буде відповіддю.',
  passedOn: 'Дякую, я все передав.',

  parts: {
    welcome_message: 'Ласкаво просимо',
    suggested_role: 'Роль, яка вам пасує',
    next_steps: 'Перші кроки',
  },
  runEnded: (crew) => `Готово: ${crew}`,
  runFailed: (crew, reason) => `Не вдалося: ${crew}. ${reason}`,
  runStopped: (crew) => `Зупинено: ${crew}`,

  opened: 'Відкрито голосування за нову пропозицію.',
  closesSoon: 'Голосування завершиться менш ніж за добу, а ви ще не проголосували.',
  outcomes: {
    passed: 'Ухвалено ✅',
    rejected: 'Відхилено ❌',
    expired: 'Рішення немає: замало голосів',
    withdrawn: 'Відкликано',
  },
  executes: (when) => `Її буде виконано ${when}, якщо не накладуть вето.`,
  vetoed: 'На ухвалену пропозицію накладено вето.',
  failed: 'Ухвалену пропозицію не вдалося виконати.',
  reason: (text) => `Причина: ${text}`,

  roleGiven: (role, dao) => `Вітаємо! Тепер у вас роль «${role}» у ${dao}. Що ви можете, розкаже /help.`,
  redeemed: (who, roles) => `Вашим запрошенням скористалися: ${who} тепер серед учасників (${roles}).`,

  topics: {
    approvals: 'погодження',
    runs: 'результати (команд)',
    proposals: 'пропозиції (та голосування)',
    membership: 'учасники (й ролі)',
  },
  topicWords: {
    approvals: ['погодження'],
    runs: ['результати', 'команди'],
    proposals: ['пропозиції', 'голосування'],
    membership: ['учасники', 'ролі'],
  },
  settings: 'Про що я вам пишу:',
  isOn: 'так',
  isOff: 'ні',
  quiet: (from, to) => `Тихі години: з ${from} до ${to}`,
  neverQuiet: 'Тихих годин немає',
  timeZone: (zone, now) => `Часовий пояс: ${zone}, там зараз ${now}`,
  settingsHelp:
    'Щоб змінити: /notify off пропозиції, /notify on пропозиції, /notify quiet 22:00-8:00, /notify quiet off, /notify zone Europe/Kyiv',
  settingsUnknown: 'Я цього не зрозумів.',
  timeZoneUnknown: (name) => `Не знаю часового поясу «${name}»: напишіть його як Europe/Kyiv.`,
  onlyMembers: 'Це налаштовують лише учасники DAO.',
};
