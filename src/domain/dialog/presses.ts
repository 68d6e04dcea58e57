import { COMPLAINTS, MARKS, type CommandName, type Complaint, type Mark } from '../../contracts/conversation.js';
import type { GateDecision } from '../../contracts/crew.js';
import { CHOICES, type Choice } from '../../contracts/proposal.js';
import { isCommandName } from './commands.js';

/** What somebody does about something that a run asks. */
export const GATE_ACTS = [
  'approve',
  'reject',
  'return',
  'answer',
  'continue',
  'stop',
] as const satisfies readonly GateDecision['decision'][];

/** What somebody does by pressing a button. `tag` says of which DAO, or of what, something is that has no short id. */
export type Press =
  | { what: 'mark'; requestId: string; mark: Mark }
  | { what: 'wrong'; requestId: string; complaint: Complaint }
  | { what: 'offer'; id: string; choice: 'yes' | 'no' | 'ask' }
  | { what: 'vote'; n: number; tag: string; choice: Choice }
  | { what: 'prop'; n: number; tag: string; act: 'open' | 'withdraw' }
  | { what: 'say'; command: CommandName; tag: string; args: string }
  /** `isListed`: below a list of several that wait. */
  | { what: 'gate'; tag: string; act: (typeof GATE_ACTS)[number]; isListed?: true }
  | { what: 'dao'; tag: string }
  | { what: 'stop'; runId: string }
  | { what: 'drop' };

/** Most bytes that a platform gives back. */
const LONGEST = 64;
const FORM = /^([a-z]{1,8}):([\w.-]{1,48})(?::([\w.-]{1,20}))?$/;

/** What a button sends that does this: `<what>:<id>[:<arg>]`. */
export function pressOf(press: Press): string {
  const data = written(press);
  if (data.length > LONGEST) throw new RangeError(`a button cannot send ${data.length} bytes`);
  return data;
}

const gateData = ({ tag, act, isListed }: Extract<Press, { what: 'gate' }>): string =>
  `${isListed ? 'listed' : 'gate'}:${tag}:${act}`;

function written(press: Press): string {
  switch (press.what) {
    case 'mark':
      return `${press.mark}:${press.requestId}`;
    case 'wrong':
      return `wrong:${press.requestId}:${press.complaint}`;
    case 'offer':
      return `offer:${press.id}:${press.choice}`;
    case 'vote':
      return `vote:${press.n}.${press.tag}:${press.choice}`;
    case 'prop':
      return `prop:${press.n}.${press.tag}:${press.act}`;
    case 'say':
      return `say:${press.command}.${press.tag}${press.args === '' ? '' : `:${press.args}`}`;
    case 'gate':
      return gateData(press);
    case 'dao':
      return `dao:${press.tag}`;
    case 'stop':
      return `stop:${press.runId}`;
    case 'drop':
      return 'drop:question';
  }
}

/** What was pressed; undefined: nothing that a button of ours does. */
export function readPress(data: string): Press | undefined {
  const [, what = '', id = '', arg = ''] = FORM.exec(data) ?? [];
  return READERS[what]?.(id, arg);
}

type Reader = (id: string, arg: string) => Press | undefined;

const oneOf = <T extends string>(words: readonly T[], word: string): T | undefined => words.find((one) => one === word);

/** A number or a name, with its tag. */
function tagged(id: string): { name: string; tag: string } | undefined {
  const [, name, tag] = /^(\w{1,32})\.([0-9a-f]{8})$/.exec(id) ?? [];
  return name === undefined || tag === undefined ? undefined : { name, tag };
}

function numbered(id: string): { n: number; tag: string } | undefined {
  const { name = '', tag = '' } = tagged(id) ?? {};
  return /^[1-9]\d{0,8}$/.test(name) ? { n: Number(name), tag } : undefined;
}

const READERS: Readonly<Record<string, Reader>> = {
  ...Object.fromEntries(
    MARKS.map((mark): [string, Reader] => [mark, (requestId) => ({ what: 'mark', requestId, mark })]),
  ),
  wrong: (requestId, arg) => {
    const complaint = oneOf(COMPLAINTS, arg);
    return complaint && { what: 'wrong', requestId, complaint };
  },
  offer: (id, arg) => {
    const choice = oneOf(['yes', 'no', 'ask'], arg);
    return choice && { what: 'offer', id, choice };
  },
  vote: (id, arg) => {
    const [about, choice] = [numbered(id), oneOf(CHOICES, arg)];
    return about && choice && { what: 'vote', ...about, choice };
  },
  prop: (id, arg) => {
    const [about, act] = [numbered(id), oneOf(['open', 'withdraw'], arg)];
    return about && act && { what: 'prop', ...about, act };
  },
  say: (id, args) => {
    const { name = '', tag = '' } = tagged(id) ?? {};
    return isCommandName(name) ? { what: 'say', command: name, tag, args } : undefined;
  },
  gate: (tag, arg) => {
    const act = oneOf(GATE_ACTS, arg);
    return act && { what: 'gate', tag, act };
  },
  listed: (tag, arg) => {
    const act = oneOf(GATE_ACTS, arg);
    return act && { what: 'gate', tag, act, isListed: true };
  },
  dao: (tag) => ({ what: 'dao', tag }),
  stop: (runId) => ({ what: 'stop', runId }),
  drop: () => ({ what: 'drop' }),
};
