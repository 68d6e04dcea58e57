import { ENGLISH } from '../dialog/phrases-en.js';
import type { NewsPhrases } from './phrase-book.js';

export const NEWS_EN: NewsPhrases = {
  locale: 'en-GB',
  crews: ENGLISH.crews,

  asked: {
    approval: (crew) => `Your approval is needed: ${crew}`,
    question: (crew) => `A question to you: ${crew}`,
    limit: (crew) => `May it go on: ${crew}?`,
  },
  askedInGroup: (crew) =>
    `Something waits to be decided: ${crew}. If you may decide it, write to me in private: /status`,
  reminded: (crew) => `A reminder, this still waits for you: ${crew}`,
  giveRole: (name, id, role) => `Give ${name === undefined ? id : `${name} (${id})`} the role ${role}?`,
  theySay: (words) => `They say of themselves: “${words}”`,
  whySo: (words) => `Why this role: ${words}`,
  until: (when) => `Until ${when}`,
  expired: (crew) => `Time is up, nobody decided: ${crew}`,
  buttons: {
    approve: '✅ Approve',
    reject: '❌ Reject',
    return: '↩️ Send back',
    answer: '✍️ Answer',
    continue: '▶️ Go on',
    stop: '⏹ Stop',
  },
  states: {
    open: 'Waits for a decision.',
    approved: 'Approved.',
    rejected: 'Rejected.',
    returned: 'Sent back to be improved.',
    answered: 'Answered.',
    continued: 'It goes on.',
    expired: 'Time is up; nobody decided.',
    closed: 'This is not asked any more.',
  },
  decidedBy: (who, decision) => `Decided by ${who}: ${decision}`,
  decisions: {
    approve: 'approved',
    reject: 'rejected',
    return: 'sent back',
    answer: 'answered',
    continue: 'to go on',
    stop: 'to stop',
  },
  aMember: 'a member',

  decided: 'Your decision is noted. Thank you!',
  changed: 'It has changed since: please look at it once more.',
  decidedTwice: 'You have decided this already.',
  decidedEarlier: 'This was decided already.',
  notYours: 'This is not yours to decide.',
  askComment: 'What should be done better? Write it in your next message.',
  askAnswer: 'I am listening: your next message is the answer.',
  passedOn: 'Thank you, I have passed it on.',

  parts: {
    welcome_message: 'Welcome',
    suggested_role: 'Role that fits you',
    next_steps: 'First steps',
  },
  runEnded: (crew) => `Done: ${crew}`,
  runFailed: (crew, reason) => `It did not work out: ${crew}. ${reason}`,
  runStopped: (crew) => `Stopped: ${crew}`,

  opened: 'A new proposal is open for voting.',
  closesSoon: 'Voting closes in less than a day, and you have not voted yet.',
  outcomes: {
    passed: 'Accepted ✅',
    rejected: 'Rejected ❌',
    expired: 'Not decided: too few took part',
    withdrawn: 'Withdrawn',
  },
  executes: (when) => `It is carried out on ${when}, unless it is vetoed.`,
  vetoed: 'An accepted proposal was vetoed.',
  failed: 'An accepted proposal could not be carried out.',
  reason: (text) => `Reason: ${text}`,

  roleGiven: (role, dao) => `Welcome! You have the role “${role}” in ${dao} now. /help tells what you can do.`,
  redeemed: (who, roles) => `Your invitation was taken: ${who} is a member now (${roles}).`,

  topics: {
    approvals: 'approvals',
    runs: 'results (of crews)',
    proposals: 'proposals (and votes)',
    membership: 'members (and roles)',
  },
  topicWords: {
    approvals: ['approvals', 'approval'],
    runs: ['runs', 'results', 'crews'],
    proposals: ['proposals', 'votes', 'voting'],
    membership: ['membership', 'members', 'roles'],
  },
  settings: 'What I write to you about:',
  isOn: 'on',
  isOff: 'off',
  quiet: (from, to) => `Quiet hours: ${from} to ${to}`,
  neverQuiet: 'Quiet hours: none',
  timeZone: (zone, now) => `Time zone: ${zone}, where it is ${now} now`,
  settingsHelp:
    'To change it: /notify off proposals, /notify on proposals, /notify quiet 22:00-8:00, /notify quiet off, /notify zone Europe/Kyiv',
  settingsUnknown: 'I did not understand that.',
  timeZoneUnknown: (name) => `I know no time zone “${name}”: write it as in Europe/Kyiv.`,
  onlyMembers: 'Only members of the DAO can set this.',
};
