import type { Entitlement } from '../../contracts/access.js';
import { COMMAND_NAMES, type CommandName } from '../../contracts/conversation.js';

/** What a command is and takes. */
export interface CommandInfo {
  /** What whoever uses it must be allowed, all of it. */
  needs: readonly Entitlement[];
  /** Whether that is asked in another DAO than the chat is of, by the command itself. */
  isElsewhere?: boolean;
  /** Where alone it means something; absent: everywhere. */
  place?: 'private' | 'group';
  /** The crew that it starts. */
  crew?: string;
  /** What whoever is told of it must be allowed, too: without that it does, but is of no use. */
  tells?: readonly Entitlement[];
  /** Whether it is left out of lists of commands. */
  isHidden?: boolean;
}

/** What each command is. */
const COMMANDS: Readonly<Record<CommandName, CommandInfo>> = {
  help: { needs: ['chat.read'] },
  dao: { needs: ['chat.read'] },
  role: { needs: ['chat.read'] },
  onboard: { needs: ['chat.read'], crew: 'microdao_onboarding' },
  proposals: { needs: ['chat.read'] },
  vote: { needs: ['chat.read'], tells: ['proposal.vote'] },
  propose: { needs: ['proposal.create'] },
  review: { needs: ['agent.crew'], crew: 'proposal_review' },
  decompose: { needs: ['agent.crew'], crew: 'task_decomposition' },
  code_review: { needs: ['agent.crew', 'agent.devtools'], crew: 'code_review' },
  status: { needs: ['chat.read'] },
  why: { needs: ['chat.read'], tells: ['chat.write'] },
  cost: { needs: ['chat.read'], tells: ['chat.write'] },
  stop: { needs: ['chat.read'], tells: ['chat.write'] },
  notify: { needs: ['chat.write'], place: 'private' },
  language: { needs: [] },
  link: { needs: ['config.update'], isElsewhere: true, place: 'group' },
  start: { needs: [], isHidden: true },
};

export const isCommandName = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

/** What a command takes. */
export const commandInfo = (name: CommandName): CommandInfo => COMMANDS[name];

/** Commands of which somebody with these entitlements is told, in a private chat or a group. */
export const commandsFor = (entitlements: readonly Entitlement[], place: 'private' | 'group'): CommandName[] =>
  COMMAND_NAMES.filter((name) => {
    const { needs, tells = [], place: only = place, isHidden = false } = commandInfo(name);
    return !isHidden && only === place && [...needs, ...tells].every((one) => entitlements.includes(one));
  });
