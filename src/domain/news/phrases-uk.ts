import type { NewsPhrases } from './phrase-book.js';

const FORMS = new Intl.PluralRules('uk');

/** «1 людина», «2 людини», «5 людей». */
function people(count: number): string {
  const form = FORMS.select(count);
  return `${count} ${form === 'one' ? 'людина' : form === 'few' ? 'людини' : 'людей'}`;
}

export const NEWS_UK: NewsPhrases = {
  locale: 'uk-UA',
  crews: {
    code_review: 'Огляд коду',
    microdao_onboarding: 'Вступ до DAO',
    proposal_review: 'Огляд пропозиції',
    task_decomposition: 'Розбиття завдання на частини',
  },

  asked: {
    approval: (crew) => `Потрібне ваше погодження: ${crew}`,
    question: (crew) => `Запитання до вас: ${crew}`,
    limit: (crew) => `Чи продовжувати? ${crew}`,
  },
  askedInGroup: (crew) =>
    `Дещо чекає на рішення: ${crew}. Якщо ви можете його ухвалити, напишіть мені в особисті повідомлення: /status`,
  reminded: (crew) => `Нагадування: це досі чекає на вас. ${crew}`,
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
  notYours: 'Це рішення не за вами, або його вже ухвалено.',
  askComment: 'Що варто покращити? Напишіть це наступним повідомленням.',
  askAnswer: 'Слухаю: ваше наступне повідомлення буде відповіддю.',
  passedOn: 'Дякую, я все передав.',

  runEnded: (crew) => `Готово: ${crew}`,
  runFailed: (crew, reason) => `Не вдалося: ${crew}. ${reason}`,
  runStopped: (crew) => `Зупинено: ${crew}`,

  opened: 'Відкрито голосування за нову пропозицію.',
  closesSoon: 'Голосування завершиться менш ніж за добу, а ви ще не проголосували.',
  closes: (when) => `Голосування триває до ${when}`,
  choices: { yes: '👍 За', no: '👎 Проти', abstain: '🤍 Утримуюсь' },
  tally: (yes, no, abstain) => `За ${yes} · Проти ${no} · Утрималися ${abstain}`,
  sealed: 'Як хто голосував, стане відомо після завершення.',
  part: (count, weight, total) => `Участь: ${people(count)}, вага ${weight} із ${total}`,
  quorumMet: 'для рішення достатньо',
  quorumMissing: 'для рішення ще замало',
  outcomes: {
    passed: 'Ухвалено ✅',
    rejected: 'Відхилено ❌',
    expired: 'Рішення немає: замало учасників',
    withdrawn: 'Відкликано',
  },
  executes: (when) => `Її буде виконано ${when}, якщо не накладуть вето.`,
  vetoed: 'На ухвалену пропозицію накладено вето.',
  failed: 'Ухвалену пропозицію не вдалося виконати.',
  reason: (text) => `Причина: ${text}`,

  roleGiven: (role, dao) => `Вітаємо! Тепер у вас роль «${role}» у ${dao}. Що ви можете, розкаже /help.`,
  redeemed: (who, roles) => `Вашим запрошенням скористалися: ${who} тепер серед учасників (${roles}).`,

  topics: {
    approvals: 'що потребує погодження',
    runs: 'результати команд',
    proposals: 'пропозиції та голосування',
    membership: 'учасники й ролі',
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
