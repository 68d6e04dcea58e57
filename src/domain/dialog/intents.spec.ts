import { describe, expect, it } from '@jest/globals';
import { loadIntents } from '../../../config/intents.js';
import { intentMatcher } from './intents.js';

const of = intentMatcher(loadIntents());

describe('words that mean a command', () => {
  it.each([
    ['what can I do?', 'help'],
    ['What can you do for me', 'help'],
    ['help', 'help'],
    ['Hey, show me all commands!', 'help'],
    ['що я можу?', 'help'],
    ['Що я тут можу робити', 'help'],
    ['що ти вмієш?', 'help'],
    ['Допоможи мені, будь ласка', 'help'],
    ['I want to join', 'onboard'],
    ['how can I become a member?', 'onboard'],
    ["I'd like to join this DAO", 'onboard'],
    ['хочу приєднатися', 'onboard'],
    ['Привіт! Я хочу стати учасником', 'onboard'],
    ['як мені долучитись до вашої спільноти?', 'onboard'],
    ['хотіла б вступити до DAO', 'onboard'],
    ['I want to make a proposal', 'propose'],
    ['create a new proposal please', 'propose'],
    ['New proposal: Buy a cold frame', 'propose Buy a cold frame'],
    ['хочу створити пропозицію', 'propose'],
    ['Нова пропозиція: купити теплицю', 'propose купити теплицю'],
    ['review my proposal 12', 'review 12'],
    ['Review proposal #7.', 'review 7'],
    ['please review my proposal', 'review'],
    ['I need a review of the proposal number 3', 'review 3'],
    ['розглянь мою пропозицію 12', 'review 12'],
    ['Перевірте пропозицію № 4, будь ласка', 'review 4'],
    ['оціни мою пропозицію', 'review'],
    ['vote for 3', 'vote 3'],
    ['I want to vote on proposal 12', 'vote 12'],
    ['show me proposal 5', 'vote 5'],
    ['I want to vote', 'vote'],
    ['проголосувати за 3', 'vote 3'],
    ['хочу проголосувати за пропозицію номер 8', 'vote 8'],
    ['покажи пропозицію 2', 'vote 2'],
    ['show all open proposals', 'proposals'],
    ['which proposals are there?', 'proposals'],
    ['What can I vote on?', 'proposals'],
    ['які є пропозиції?', 'proposals'],
    ['Покажи відкриті пропозиції', 'proposals'],
    ['за що можна голосувати', 'proposals'],
    ['break down the task: prepare the harvest festival', 'decompose prepare the harvest festival'],
    ['break the launch of the shop down into steps', 'decompose the launch of the shop'],
    ['розбий завдання: підготувати свято врожаю на кроки', 'decompose підготувати свято врожаю'],
    ['розклади переїзд складу на підзавдання', 'decompose переїзд складу'],
    ['review the code in src/app.ts', 'code_review src/app.ts'],
    ['check index.js', 'code_review index.js'],
    ['перевір код src/index.js', 'code_review src/index.js'],
    ["what's the status", 'status'],
    ['статус', 'status'],
    ['що чекає на моє рішення?', 'status'],
    ['which model answered?', 'why'],
    ['звідки ця відповідь?', 'why'],
    ['how much did that answer cost?', 'cost'],
    ['скільки коштувала ця відповідь', 'cost'],
    ['speak English', 'language English'],
    ['говори українською', 'language українською'],
  ])('should be found: %s', (text, expected) => {
    const found = of(text);
    expect(found && `${found.name} ${found.args}`.trim()).toBe(expected);
  });

  it.each([
    'help me write a letter to the city council',
    'what can I do about slugs?',
    'what can you do with 20 kg of tomatoes?',
    'I want to join two tables in SQL',
    'how do I become a better gardener?',
    'хочу приєднатися до мережі Wi-Fi',
    'як стати кращим садівником?',
    'what is a proposal?',
    'write a proposal for a wedding',
    'review my proposal 12 and tell me whether the budget of it is sound',
    'I reviewed my proposal 12 yesterday',
    'why?',
    'чому?',
    'how much did it cost?',
    'скільки це коштує?',
    'voting on 3 was a mistake',
    'I voted for 3 parties last year',
    'голосування за 3 роки',
    'хто голосував за пропозицію 3?',
    'check my code please',
    'перевір мій код',
    'translate “show all proposals” into Ukrainian',
    'break a leg!',
    'розбий яйце на сковорідку',
    'status of the order 12 at the nursery',
    'що робити з кабачками?',
    'що я можу посадити в червні?',
    'які пропозиції кращі: твої чи мої?',
    'hello',
    'привіт',
    'дякую!',
    'speak English history to me',
    'explain the proposals of the last year to a child, in two sentences, with an example of each one of them',
    '',
    '   ',
    '?!',
  ])('should not be found where they mean something else: %s', (text) => {
    expect(of(text)).toBeUndefined();
  });

  it('should end soon, whatever a message is', () => {
    const began = performance.now();
    for (const text of ['а '.repeat(40), 'please '.repeat(50_000), '.'.repeat(80), '\n'.repeat(1_000)]) of(text);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
