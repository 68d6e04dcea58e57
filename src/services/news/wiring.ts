import type { Logger } from 'pino';
import type { Messenger, Source } from '../../contracts/messenger.js';
import type { DeliveriesRepository } from '../../adapters/store/deliveries.repository.js';
import type { NewsRepository } from '../../adapters/store/news.repository.js';
import type { NewsViewsRepository } from '../../adapters/store/news-views.repository.js';
import type { PendingRepository } from '../../adapters/store/pending.repository.js';
import type { PreferencesRepository } from '../../adapters/store/preferences.repository.js';
import type { ProposalsRepository } from '../../adapters/store/proposals.repository.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { VotesRepository } from '../../adapters/store/votes.repository.js';
import type { AccessService } from '../access.service.js';
import type { CrewRunsService } from '../crew-runs.service.js';
import type { FailedMessages } from '../dialogs/failed-messages.js';
import { DeliveriesService } from './deliveries.service.js';
import { GatePresses } from './gate-presses.js';
import { NewsContent } from './news-content.js';
import { NewsService, type NewsClock } from './news.service.js';
import { PreferencesService } from './preferences.service.js';

/** Repositories that news stands on. */
export interface NewsRepositories {
  deliveries: DeliveriesRepository;
  news: NewsRepository;
  newsViews: NewsViewsRepository;
  pending: PendingRepository;
  preferences: PreferencesRepository;
  proposals: ProposalsRepository;
  replies: RepliesRepository;
  votes: VotesRepository;
}

export interface NewsWiring {
  repositories: NewsRepositories;
  access: AccessService;
  runs: CrewRunsService;
  clock: NewsClock;
  failed: FailedMessages;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  log: Logger;
}

/** Services of news. */
export interface NewsServices {
  spreading: NewsService;
  deliveries: DeliveriesService;
  gates: GatePresses;
  preferences: PreferencesService;
}

/** Wires them. */
export function newsOf({ repositories, access, runs, clock, failed, messengers, log }: NewsWiring): NewsServices {
  const { deliveries, news, newsViews: views, pending, preferences, proposals, replies, votes } = repositories;
  const content = new NewsContent({ views, proposals, votes });
  return {
    spreading: new NewsService({ news, clock, isOn: () => Object.keys(messengers).length > 0, log }),
    deliveries: new DeliveriesService({ deliveries, content, replies, failed, clock, messengers, log }),
    gates: new GatePresses({ runs, pending, views }),
    preferences: new PreferencesService(preferences, access),
  };
}
