import type { Wording } from '../../contracts/conversation.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { ConversationRepositories } from '../../adapters/store/conversation-repositories.js';
import type { DaosRepository } from '../../adapters/store/daos.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { NewsViewsRepository } from '../../adapters/store/news-views.repository.js';
import type { RolesRepository } from '../../adapters/store/roles.repository.js';
import { intentMatcher } from '../../domain/dialog/intents.js';
import type { AccessService } from '../access.service.js';
import type { ChangesService } from '../changes.service.js';
import type { CrewRunsService } from '../crew-runs.service.js';
import type { GatePresses } from '../news/gate-presses.js';
import { notifyCommand } from '../news/notify-command.js';
import type { PreferencesService } from '../news/preferences.service.js';
import type { InvitationsService } from '../invitations.service.js';
import type { ProposalsService } from '../proposals.service.js';
import type { RequestsService } from '../requests.service.js';
import type { SubmissionsService } from '../submissions.service.js';
import type { VotesService } from '../votes.service.js';
import type { Handlers } from './commands/asked.js';
import { CommandsService } from './commands/commands.service.js';
import { CrewCommands } from './commands/crew-commands.js';
import { DaoCommands, type DaoCommandsParts } from './commands/dao-commands.js';
import { FeedbackTalk } from './commands/feedback-talk.js';
import { HelpCommands } from './commands/help-commands.js';
import { PressesService } from './commands/presses.service.js';
import { ProposalCards } from './commands/proposal-cards.js';
import { ProposalCommands } from './commands/proposal-commands.js';
import { ProposalPresses } from './commands/proposal-presses.js';
import { ReasonCommands } from './commands/reason-commands.js';
import { Refusals } from './commands/refusals.js';
import { StartCommand } from './commands/start-command.js';
import { StatusCommand } from './commands/status-command.js';
import { ConversationService } from './conversation.service.js';

/** What conversations stand on. */
export interface TalkingParts {
  repositories: ConversationRepositories & {
    chats: ChatsRepository;
    daos: DaosRepository;
    inbox: InboxRepository;
    newsViews: NewsViewsRepository;
    roles: RolesRepository;
  };
  access: AccessService;
  changes: ChangesService;
  invitations: InvitationsService;
  proposals: ProposalsService;
  requests: RequestsService;
  runs: CrewRunsService;
  submissions: SubmissionsService;
  votes: VotesService;
  wording: Wording;
  gates: GatePresses;
  preferences: PreferencesService;
  rules: DaoCommandsParts['rules'];
}

/** What messages and presses in chats mean. */
export interface Talking {
  conversation: ConversationService;
  presses: PressesService;
}

/** Wires them. */
export function talkingOf(parts: TalkingParts): Talking {
  const { repositories, access, changes, invitations, proposals, requests, runs, submissions, votes } = parts;
  const { gates, preferences } = parts;
  const {
    chats,
    daos,
    feedback: opinions,
    inbox,
    offers,
    pending,
    roles,
    runChats,
    shownAnswers: answers,
  } = repositories;
  const refusals = new Refusals(roles);
  const cards = new ProposalCards(proposals, votes, preferences);
  const drafting = new ProposalCommands({ proposals, cards, pending });
  const crews = new CrewCommands({ submissions, proposals, runChats, offers, talk: drafting });
  const daoTalk = new DaoCommands({ access, changes, chats, daos, rules: parts.rules });
  const status = new StatusCommand({ answers, runs, views: repositories.newsViews });
  const feedback = new FeedbackTalk({ access, feedback: opinions, answers, pending, offers });
  const handlers: Handlers = {
    ...new HelpCommands(chats).handlers,
    ...new StartCommand({ invitations, chats, daos, inbox, runs }).handlers,
    ...new ReasonCommands({ answers, requests, refusals }).handlers,
    notify: ({ turn: { daoId, update, language }, args }) =>
      notifyCommand(preferences, { daoId, userId: update.actor, language, args }),
    ...{ ...daoTalk.handlers, ...drafting.handlers, ...crews.handlers, ...status.handlers },
  };
  const commands = new CommandsService({ access, handlers, crews });
  const presses = new PressesService({
    ...{ inbox, offers, pending, requests, commands, daos: daoTalk, gates, status, feedback, refusals },
    proposals: new ProposalPresses({ proposals, votes, cards }),
  });
  const intentOf = intentMatcher(parts.wording);
  const conversation = new ConversationService({
    ...{ submissions, commands, intentOf, pending, proposals: drafting, feedback, gates, refusals },
  });
  return { conversation, presses };
}
