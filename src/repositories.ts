import { AccessRepository } from './adapters/store/access.repository.js';
import { AnswerCacheRepository } from './adapters/store/answer-cache.repository.js';
import { AuditHeadsRepository } from './adapters/store/audit-heads.repository.js';
import { AuditRepository } from './adapters/store/audit.repository.js';
import { ChatsRepository } from './adapters/store/chats.repository.js';
import { ConfigRepository } from './adapters/store/config.repository.js';
import { conversationRepositories, type ConversationRepositories } from './adapters/store/conversation-repositories.js';
import { CrewGatesRepository } from './adapters/store/crew-gates.repository.js';
import { CrewRunsRepository } from './adapters/store/crew-runs.repository.js';
import { CrewViewsRepository } from './adapters/store/crew-views.repository.js';
import { CrewsRepository } from './adapters/store/crews.repository.js';
import { InboxRepository } from './adapters/store/inbox.repository.js';
import { InteractionsRepository } from './adapters/store/interactions.repository.js';
import { InvitationsRepository } from './adapters/store/invitations.repository.js';
import { McpRepository } from './adapters/store/mcp.repository.js';
import { MemoryRepository } from './adapters/store/memory.repository.js';
import { MembersRepository } from './adapters/store/members.repository.js';
import { DaosRepository } from './adapters/store/daos.repository.js';
import { DelegationsRepository } from './adapters/store/delegations.repository.js';
import { DeliveriesRepository } from './adapters/store/deliveries.repository.js';
import { DialogsRepository } from './adapters/store/dialogs.repository.js';
import { NewsRepository } from './adapters/store/news.repository.js';
import { NewsViewsRepository } from './adapters/store/news-views.repository.js';
import { PreferencesRepository } from './adapters/store/preferences.repository.js';
import type { Tenants } from './adapters/store/tenants.js';
import { KeysRepository } from './adapters/store/keys.repository.js';
import { ProposalsRepository } from './adapters/store/proposals.repository.js';
import { ProviderFiguresRepository } from './adapters/store/provider-figures.repository.js';
import { RefusalsRepository } from './adapters/store/refusals.repository.js';
import { RepliesRepository } from './adapters/store/replies.repository.js';
import { RequestsRepository } from './adapters/store/requests.repository.js';
import { RolesRepository } from './adapters/store/roles.repository.js';
import { UsageRepository } from './adapters/store/usage.repository.js';
import { VotesRepository } from './adapters/store/votes.repository.js';

/** What there is on record, by kind. */
export interface Repositories extends ConversationRepositories {
  access: AccessRepository;
  audit: AuditRepository;
  auditHeads: AuditHeadsRepository;
  cache: AnswerCacheRepository;
  chats: ChatsRepository;
  config: ConfigRepository;
  crewGates: CrewGatesRepository;
  crewRuns: CrewRunsRepository;
  crewViews: CrewViewsRepository;
  crews: CrewsRepository;
  daos: DaosRepository;
  delegations: DelegationsRepository;
  deliveries: DeliveriesRepository;
  dialogs: DialogsRepository;
  figures: ProviderFiguresRepository;
  inbox: InboxRepository;
  interactions: InteractionsRepository;
  invitations: InvitationsRepository;
  keys: KeysRepository;
  mcp: McpRepository;
  members: MembersRepository;
  memory: MemoryRepository;
  news: NewsRepository;
  newsViews: NewsViewsRepository;
  preferences: PreferencesRepository;
  proposals: ProposalsRepository;
  refusals: RefusalsRepository;
  replies: RepliesRepository;
  requests: RequestsRepository;
  roles: RolesRepository;
  usage: UsageRepository;
  votes: VotesRepository;
}

/** The repositories over one database. */
export const repositoriesOf = (tenants: Tenants, news = new NewsRepository(tenants)): Repositories => ({
  access: new AccessRepository(tenants),
  audit: new AuditRepository(tenants, (daoId) => {
    news.changed(daoId);
  }),
  auditHeads: new AuditHeadsRepository(tenants),
  cache: new AnswerCacheRepository(tenants),
  chats: new ChatsRepository(tenants),
  config: new ConfigRepository(tenants),
  crewGates: new CrewGatesRepository(tenants),
  crewRuns: new CrewRunsRepository(tenants, (daoId) => {
    news.changed(daoId);
  }),
  crewViews: new CrewViewsRepository(tenants),
  crews: new CrewsRepository(tenants),
  daos: new DaosRepository(tenants),
  delegations: new DelegationsRepository(tenants),
  deliveries: new DeliveriesRepository(tenants),
  dialogs: new DialogsRepository(tenants),
  figures: new ProviderFiguresRepository(tenants),
  inbox: new InboxRepository(tenants),
  interactions: new InteractionsRepository(tenants),
  invitations: new InvitationsRepository(tenants),
  keys: new KeysRepository(tenants),
  mcp: new McpRepository(tenants),
  members: new MembersRepository(tenants),
  memory: new MemoryRepository(tenants),
  news,
  newsViews: new NewsViewsRepository(tenants),
  preferences: new PreferencesRepository(tenants),
  proposals: new ProposalsRepository(tenants),
  refusals: new RefusalsRepository(tenants),
  replies: new RepliesRepository(tenants),
  requests: new RequestsRepository(tenants),
  roles: new RolesRepository(tenants),
  usage: new UsageRepository(tenants),
  votes: new VotesRepository(tenants),
  ...conversationRepositories(tenants),
});
