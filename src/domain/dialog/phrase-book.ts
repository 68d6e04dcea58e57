import type { CommandName, Complaint } from '../../contracts/conversation.js';
import type { Choice, Stage } from '../../contracts/proposal.js';
import type { Mode } from '../../contracts/request.js';
import type { ReasonPhrases } from './reason-phrases.js';

/** What the product itself says in chats, in one language. */
export interface Phrases {
  /** How its dates are written. */
  locale: string;
  /** Until there is a first word of an answer. */
  thinking: string;
  waiting: (position: number, seconds: number) => string;
  stopped: string;
  /** Below the beginning of an answer that has no end. */
  outOfTime: string;
  brokeOff: string;
  cutShort: string;
  nothingToStop: string;
  onlyText: string;
  /** To whoever changes a message that has done something already. */
  sendAgain: string;
  /** What somebody is told who wrote more than is answered in a minute, and when it is answered again. */
  tooManyMessages: (when: string) => string;
  tooManyWaiting: string;
  /** What the DAO may ask in a minute, or spend in a month, is used up. */
  daoBusy: (when: string) => string;
  daoSpent: (when: string) => string;
  /** A refusal, by its code; `reason` is what is said of it in English. */
  failed: (code: string, reason: string) => string;

  /** What commands do, each in half a line. */
  commands: Readonly<Record<CommandName, string>>;
  /** How commands are written that take something. */
  usage: Readonly<Partial<Record<CommandName, string>>>;
  help: (dao: string) => string;
  helpWords: string;
  helpGuest: string;
  unknown: (name: string) => string;
  unknownNear: (name: string, near: string) => string;
  onlyPrivate: (command: string) => string;
  onlyGroup: (command: string) => string;

  /** To whoever belongs to no DAO, by their id; and in a group that belongs to none. */
  strangerHere: (id: string) => string;
  groupOfNone: string;
  greeting: (name: string | undefined, dao: string) => string;
  greetingGuest: (name: string | undefined, dao: string) => string;
  codeOnlyPrivate: string;
  welcome: (dao: string, roles: string) => string;
  onboardButton: string;
  helpButton: string;

  lacks: (what: string) => string;
  rolesWith: (roles: string) => string;
  nobodyWith: string;
  askAdmin: string;

  daoChoose: string;
  daoChosen: (name: string) => string;
  daoUnknown: (name: string) => string;
  daoNone: string;
  daoOnlyPrivate: string;
  linked: (dao: string) => string;
  linkedAlready: (dao: string) => string;
  linkedElsewhere: string;
  unlinked: (dao: string) => string;
  notLinked: string;
  linkNone: string;
  linkUnknown: string;
  linkNeedsRuler: string;
  linkWhich: (daos: string) => string;
  languageSet: string;
  languageWhich: string;

  askTitle: string;
  askText: (title: string) => string;
  titleTooLong: (most: number) => string;
  textTooLong: (most: number) => string;
  drafted: (n: number, title: string) => string;
  draftNext: string;
  /** How somebody answers where not everything that they say is heard. */
  answerInReply: string;
  answerByAsk: string;
  questionDropped: string;
  questionOver: string;
  dropButton: string;
  which: (command: string) => string;
  whichNone: string;
  whichAgain: string;
  proposalsNone: string;
  proposalsTitle: string;
  proposalTitle: (n: number, title: string) => string;
  numberNeeded: string;
  stages: Readonly<Record<Stage, string>>;
  choices: Readonly<Record<Choice, string>>;
  closesAt: (when: string) => string;
  tally: (yes: string, no: string, abstain: string) => string;
  tallySealed: string;
  tookPart: (voters: number, weight: string, total: string) => string;
  quorumMet: string;
  quorumNotMet: string;
  ownBallot: (choice: string) => string;
  ownSealed: string;
  ownNone: string;
  voted: (choice: string) => string;
  openButton: string;
  withdrawButton: string;
  reviewButton: string;
  showButton: (n: number) => string;
  opened: (n: number) => string;
  withdrawn: (n: number) => string;

  crews: Readonly<Record<string, string>>;
  crewBegan: (crew: string) => string;
  crewStop: string;
  crewStopped: string;
  taskNeeded: string;
  pathNeeded: string;
  offer: (crew: string, about: string) => string;
  offerYes: string;
  offerNo: string;
  offerAsk: string;
  offerDeclined: string;
  offerBegins: string;
  offerAsks: string;

  statusIdle: string;
  atWork: string;
  modes: Readonly<Record<Mode, string>>;
  isWaiting: string;
  isRunning: string;
  waitsForPeople: string;
  messagesWait: (many: number) => string;
  waitsForYou: string;
  waitsForYouNone: string;
  decisionsWait: (many: number) => string;
  approve: (place: number) => string;
  reject: (place: number) => string;
  answerElsewhere: string;

  complaints: Readonly<Record<Complaint, string>>;
  whatWasWrong: string;
  thanksGood: string;
  thanksBad: string;
  thanksComment: string;
  inYourWords: string;

  gone: string;
  taken: string;
  others: string;
  otherDao: string;
  notYours: string;

  reason: ReasonPhrases;
}
