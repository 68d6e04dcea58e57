import { ERRORS_UK } from './errors-uk.js';
import type { Phrases } from './phrase-book.js';
import { REASONS_UK } from './reasons-uk.js';

const hello = (name: string | undefined): string => (name === undefined ? 'Вітаю!' : `Вітаю, ${name}!`);

/** The form of a noun that goes with a number: 1 повідомлення чекає, 2 повідомлення чекають, 5 повідомлень чекають. */
const forms = new Intl.PluralRules('uk-UA');

function messagesWait(many: number): string {
  const form = forms.select(many);
  if (form === 'one') return `У цьому чаті чекає ${many} ваше повідомлення.`;
  return form === 'few'
    ? `У цьому чаті чекають ${many} ваші повідомлення.`
    : `У цьому чаті чекає ${many} ваших повідомлень.`;
}

export const UKRAINIAN: Phrases = {
  locale: 'uk-UA',
  thinking: '…',
  waiting: (position, seconds) => `… ви ${position}-й у черзі, приблизно ${seconds} с`,
  stopped: '✋ Зупинено.',
  nothingToStop: 'Нема чого зупиняти: у цьому чаті я зараз нічого для вас не роблю.',
  onlyText: 'Я читаю лише текст: напишіть, що вас цікавить.',
  tooManyMessages: (when) =>
    `Це більше, ніж я встигаю відповісти. Напишіть, будь ласка, знову ${when}: що надійде раніше, лишиться без відповіді.`,
  tooManyWaiting:
    'У цьому чаті чекає забагато повідомлень. Спершу я відповім на них, а це лишиться без відповіді: надішліть його, будь ласка, пізніше.',
  daoBusy: (when) => `Ця DAO вже запитала стільки, скільки їй зараз дозволено. Запитайте, будь ласка, знову ${when}.`,
  daoSpent: (when) =>
    `Ця DAO вже витратила на відповіді все, що могла цього місяця. Я зможу відповідати знову ${when}.`,
  failed: (code) => `⚠️ ${ERRORS_UK[code] ?? 'Не вдалося це зробити.'} (${code})`,

  commands: {
    help: 'що ви тут можете',
    dao: 'що відомо про DAO; у приватному чаті ще й вибір іншої з ваших',
    role: 'ваші ролі й що вони дозволяють',
    onboard: 'знайомство, перші кроки й роль, яку вам радять',
    proposals: 'пропозиції DAO',
    vote: 'переглянути пропозицію й проголосувати',
    propose: 'створити чернетку пропозиції',
    review: 'доручити команді агентів розглянути пропозицію',
    decompose: 'доручити команді розбити завдання на кроки',
    code_review: 'доручити команді перевірити код у робочому просторі',
    status: 'що зараз виконується для вас і що чекає на ваше рішення',
    why: 'звідки взялася остання відповідь або та, на яку ви відповідаєте',
    cost: 'скільки коштувала ця відповідь',
    stop: 'зупинити поточну відповідь',
    notify: 'про що вам повідомляти й коли мовчати',
    language: 'якою мовою я говорю про себе',
    link: 'прив’язати цю групу чи сервер до вашої DAO',
    start: 'почати',
  },
  usage: {
    vote: '/vote 12',
    review: '/review 12',
    decompose: '/decompose підготувати свято врожаю',
    code_review: '/code_review src/app.ts',
    notify: '/notify off голосування',
    language: '/language uk',
  },
  help: (dao) => `Я помічник DAO «${dao}». Ось що ви можете:`,
  helpWords: 'Або просто напишіть словами, наприклад «розглянь мою пропозицію 12», чи запитайте про будь-що.',
  helpGuest: 'Ви тут гість. Щоб питати про будь-що й брати участь, станьте учасником: /onboard.',
  unknown: (name) => `Я не знаю команди /${name}. Усі команди: /help.`,
  unknownNear: (name, near) => `Я не знаю команди /${name}. Може, ви мали на увазі /${near}? Усі команди: /help.`,
  onlyPrivate: (command) => `/${command} працює лише в приватному чаті зі мною.`,
  onlyGroup: (command) => `/${command} працює лише в групі.`,

  greeting: (name, dao) => `${hello(name)} Я помічник DAO «${dao}». Питайте про що завгодно або погляньте на /help.`,
  greetingGuest: (name, dao) =>
    `${hello(name)} Я помічник DAO «${dao}». Поки що ви тут гість. Познайомити вас із DAO й порадити роль?`,
  codeOnlyPrivate:
    'Запрошення приймають у приватному чаті зі мною: у групі його код бачать усі. Якщо його тут уже побачили, попросіть нове.',
  welcome: (dao, roles) => `Ласкаво просимо до DAO «${dao}»! Ваші ролі: ${roles}. Що ви тепер можете: /help.`,
  onboardButton: 'Так, познайомити',
  helpButton: 'Що я можу?',

  lacks: (what) => `Для цього потрібне право, якого ви тут не маєте: ${what}.`,
  rolesWith: (roles) => `Його дають ролі: ${roles}.`,
  nobodyWith: 'Зараз його не дає жодна роль цієї DAO.',
  askAdmin: 'Таку роль може надати вам адміністратор DAO.',

  daoChoose: 'Про яку з ваших DAO буде цей чат?',
  daoChosen: (name) => `Відтепер цей чат — про DAO «${name}».`,
  daoUnknown: (name) => `Серед DAO, до яких ви належите, немає «${name}».`,
  daoNone: 'Ви ще не належите до жодної DAO.',
  daoOnlyPrivate:
    'До якої DAO належить група, визначає її адміністратор командою /link; ви обираєте в приватному чаті.',
  linked: (dao) => `Готово: відтепер ця група належить до DAO «${dao}».`,
  linkedAlready: (dao) => `Ця група вже належить до DAO «${dao}».`,
  linkedElsewhere: 'Ця група належить до іншої DAO. Її адміністратор може це скасувати: «/link off».',
  unlinked: (dao) => `Готово: ця група більше не належить до DAO «${dao}».`,
  notLinked: 'Ця група не належить до цієї DAO.',
  linkNone: 'Немає DAO, до якої ви могли б прив’язати цю групу.',
  linkWhich: (daos) => `До якої DAO? Напишіть «/link» і одну з цих: ${daos}.`,
  languageSet: 'Готово: тут я говоритиму українською.',
  languageWhich: 'Я говорю українською й англійською: «/language uk» або «/language en».',

  askTitle: 'Як називатиметься ваша пропозиція? Досить одного рядка.',
  askText: (title) => `«${title}» — добре. Тепер напишіть, що саме ви пропонуєте й чому.`,
  titleTooLong: (most) => `Назва може мати щонайбільше стільки знаків: ${most}. Напишіть, будь ласка, коротшу.`,
  textTooLong: (most) => `Текст може мати щонайбільше стільки знаків: ${most}. Напишіть, будь ласка, коротший.`,
  drafted: (n, title) => `Чернетка ${n} готова: ${title}`,
  draftNext: 'Відкрити голосування можете лише ви. Спершу її може розглянути команда агентів.',
  questionDropped: 'Гаразд, облишмо це.',
  dropButton: 'Облишмо це',
  which: (command) => `Яку пропозицію ви маєте на увазі (/${command})?`,
  whichNone: 'Зараз немає відкритих пропозицій.',
  whichAgain: 'Потрібен номер пропозиції, наприклад 12. Їхній список: /proposals.',
  proposalsNone: 'Пропозицій ще немає. Першу можна створити командою /propose.',
  proposalsTitle: 'Пропозиції',
  proposalTitle: (n, title) => `${n}. ${title}`,
  numberNeeded: 'Вкажіть номер пропозиції. Їхній список: /proposals.',
  stages: {
    draft: 'чернетка',
    open: 'триває голосування',
    passed: 'прийнято, ще не виконано',
    rejected: 'відхилено',
    expired: 'забракло голосів для кворуму',
    executed: 'прийнято й виконано',
    vetoed: 'накладено вето',
    failed: 'прийнято, але виконати не вдалося',
    withdrawn: 'відкликано',
  },
  choices: { yes: 'За', no: 'Проти', abstain: 'Утримуюся' },
  closesAt: (when) => `Голосування завершиться: ${when}`,
  tally: (yes, no, abstain) => `За ${yes} · Проти ${no} · Утрималися ${abstain}`,
  tallySealed: 'Голосування таємне до кінця: що в бюлетенях, стане відомо після його завершення.',
  tookPart: (voters, weight, total) => `Взяли участь: ${voters}, вага голосів ${weight} із ${total}`,
  quorumMet: 'кворум є',
  quorumNotMet: 'кворуму ще немає',
  ownBallot: (choice) => `Ваш голос: ${choice}`,
  ownSealed: 'Ви вже проголосували; ваш бюлетень запечатано.',
  ownNone: 'Ви ще не голосували.',
  voted: (choice) => `Ваш голос враховано: ${choice}. Його можна змінити, поки триває голосування.`,
  openButton: 'Відкрити голосування',
  withdrawButton: 'Відкликати',
  reviewButton: 'Розглянути',
  showButton: (n) => `Показати ${n}`,
  opened: (n) => `Голосування за пропозицію ${n} відкрито.`,
  withdrawn: (n) => `Пропозицію ${n} відкликано.`,

  crews: {
    microdao_onboarding: 'знайомство з DAO',
    proposal_review: 'розгляд пропозиції',
    task_decomposition: 'поділ завдання на кроки',
    code_review: 'перевірка коду',
  },
  crewBegan: (crew) => `Розпочато: ${crew}. Результат надішлю в цей чат.`,
  crewStop: 'Скасувати',
  crewStopped: 'Скасовано.',
  taskNeeded: 'Напишіть завдання в тому самому повідомленні.',
  pathNeeded: 'Напишіть у тому самому повідомленні, який файл чи теку робочого простору перевірити.',
  offer: (crew, about) => (about === '' ? `Розпочати: ${crew}?` : `Розпочати: ${crew} (${about})?`),
  offerYes: 'Так',
  offerNo: 'Ні',
  offerAsk: 'Просто відповісти',
  offerDeclined: 'Гаразд, не буду.',
  offerBegins: 'Гаразд, починаю.',
  offerAsks: 'Гаразд, просто відповім.',

  statusIdle: 'Зараз для вас нічого не виконується.',
  atWork: 'Виконується для вас:',
  modes: { chat: 'відповідь', crew: 'команда агентів', devtools: 'інструмент' },
  isWaiting: 'от-от почнеться',
  isRunning: 'виконується',
  waitsForPeople: 'чекає на рішення людей',
  messagesWait,
  waitsForYou: 'Чекає на ваше рішення:',
  waitsForYouNone: 'На ваше рішення нічого не чекає.',
  approve: (place) => `Схвалити ${place}`,
  reject: (place) => `Відхилити ${place}`,
  approved: 'Схвалено.',
  rejected: 'Відхилено.',
  answerElsewhere: 'потрібна відповідь словами',

  complaints: { facts: 'Помилкові факти', unclear: 'Незрозуміло', long: 'Задовго', other: 'Щось інше' },
  whatWasWrong: 'Прикро. Що було не так? Натисніть кнопку або напишіть своїми словами.',
  thanksGood: 'Дякую, приємно чути!',
  thanksBad: 'Дякую, що сказали.',
  thanksComment: 'Дякую, це допоможе відповідати краще.',
  inYourWords: 'Напишіть це, будь ласка, наступним повідомленням.',

  gone: 'Ця кнопка вже не діє.',
  taken: 'Це вже зроблено.',
  others: 'Це вирішує хтось інший.',
  otherDao: 'Ця кнопка стосується іншої DAO, ніж зараз цей чат. Якої саме, покаже /dao.',
  notYours: 'Ця відповідь не з цього чату.',

  reason: REASONS_UK,
};
