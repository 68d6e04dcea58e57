import type { GateDecision, GateKind, GateState } from '../../contracts/crew.js';
import type { Topic } from '../../contracts/news.js';

export type Decision = GateDecision['decision'];

/** What news says, in one language. */
export interface NewsPhrases {
  /** How its dates and numbers are written. */
  locale: string;
  crews: Readonly<Record<string, string>>;

  asked: Readonly<Record<GateKind, (crew: string) => string>>;
  askedInGroup(crew: string): string;
  reminded(crew: string): string;
  /** @param name what they want to be called, if they said so */
  giveRole(name: string | undefined, id: string, role: string): string;
  theySay(words: string): string;
  whySo(words: string): string;
  until(when: string): string;
  expired(crew: string): string;
  buttons: Readonly<Record<Decision, string>>;
  /** What has become of what was asked. */
  states: Readonly<Record<GateState, string>>;
  decidedBy(who: string, decision: string): string;
  decisions: Readonly<Record<Decision, string>>;
  aMember: string;

  decided: string;
  changed: string;
  decidedTwice: string;
  decidedEarlier: string;
  notYours: string;
  askComment: string;
  askAnswer: string;
  passedOn: string;

  /** How parts of results are called, in the order in which they are told; others follow under their own names. */
  parts: Readonly<Record<string, string>>;
  runEnded(crew: string): string;
  runFailed(crew: string, reason: string): string;
  runStopped(crew: string): string;

  opened: string;
  closesSoon: string;
  /** How a vote ended. */
  outcomes: Readonly<Record<'passed' | 'rejected' | 'expired' | 'withdrawn', string>>;
  executes(when: string): string;
  vetoed: string;
  failed: string;
  reason(text: string): string;

  roleGiven(role: string, dao: string): string;
  redeemed(who: string, roles: string): string;

  topics: Readonly<Record<Topic, string>>;
  /** Words by which people name topics. */
  topicWords: Readonly<Record<Topic, readonly string[]>>;
  settings: string;
  isOn: string;
  isOff: string;
  quiet(from: string, to: string): string;
  neverQuiet: string;
  /** @param now what clocks show there */
  timeZone(name: string, now: string): string;
  settingsHelp: string;
  settingsUnknown: string;
  timeZoneUnknown(name: string): string;
  onlyMembers: string;
}
