import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { packageVersion } from '../config/paths.js';
import { AuditController } from './http/audit.controller.js';
import { CrewRunsController } from './http/crew-runs.controller.js';
import { CrewsController } from './http/crews.controller.js';
import { DevtoolsController } from './http/devtools.controller.js';
import { DelegationsController } from './http/delegations.controller.js';
import { DialogsController } from './http/dialogs.controller.js';
import { HealthController } from './http/health.controller.js';
import { ConfigController } from './http/config.controller.js';
import { DaosController } from './http/daos.controller.js';
import { InvitationsController } from './http/invitations.controller.js';
import { KeysController } from './http/keys.controller.js';
import { MembersController } from './http/members.controller.js';
import { PersonsController } from './http/persons.controller.js';
import { MicrodaoController } from './http/microdao.controller.js';
import { ProposalsController } from './http/proposals.controller.js';
import { ProvidersController } from './http/providers.controller.js';
import { RbacController } from './http/rbac.controller.js';
import { RequestsController } from './http/requests.controller.js';
import { RolesController } from './http/roles.controller.js';
import { RouteController } from './http/route.controller.js';
import { RoutingController } from './http/routing.controller.js';
import { UsageController } from './http/usage.controller.js';
import { VotesController } from './http/votes.controller.js';
import { RoutedCalls } from './http/routed-calls.js';
import { OpenAiCalls } from './http/v1/calls.js';
import { ChatController } from './http/v1/chat.controller.js';
import { CompletionsController } from './http/v1/completions.controller.js';
import { EmbeddingsController } from './http/v1/embeddings.controller.js';
import { ModelsController } from './http/v1/models.controller.js';
import { WhatIfController } from './http/whatif.controller.js';
import { DiscordController } from './bots/discord/discord.controller.js';
import { DiscordIntake } from './bots/discord/intake.js';
import { guardInteractions } from './bots/discord/signature.js';
import { guardWebhook } from './bots/telegram/webhook-secret.js';
import { TelegramIntake } from './bots/telegram/intake.js';
import { TelegramController } from './bots/telegram/telegram.controller.js';
import type { Dialogs } from './dialogs.js';
import { createHttpApp } from './http-app.js';
import { describeApi } from './http/openapi/document.js';
import type { AccessService } from './services/access.service.js';
import { AuditHeadsService } from './services/audit-heads.service.js';
import { AuditService } from './services/audit.service.js';
import { ConfigService } from './services/config.service.js';
import { CrewRunsService } from './services/crew-runs.service.js';
import type { Crewing } from './services/crewing.js';
import { CrewsService } from './services/crews.service.js';
import { DaosService } from './services/daos.service.js';
import { DelegationsService } from './services/delegations.service.js';
import { DialogRecordsService } from './services/dialog-records.service.js';
import { DrainService } from './services/drain.service.js';
import { ForgettingService } from './services/forgetting.service.js';
import { HealthService } from './services/health.service.js';
import { InvitationsService } from './services/invitations.service.js';
import { KeysService } from './services/keys.service.js';
import { MembersService } from './services/members.service.js';
import { MicrodaoService } from './services/microdao.service.js';
import { ModelsService } from './services/models.service.js';
import { OutcomesService } from './services/outcomes.service.js';
import type { People } from './services/people.js';
import { ProposalsService } from './services/proposals.service.js';
import { ProvidersService } from './services/providers.service.js';
import { RequestsService } from './services/requests.service.js';
import { ResolutionService } from './services/resolution.service.js';
import type { RightsServices } from './services/rights.js';
import { RolesService } from './services/roles.service.js';
import { RoutingService } from './services/routing.service.js';
import { SubmissionsService } from './services/submissions.service.js';
import { UsageService } from './services/usage.service.js';
import { VotesService } from './services/votes.service.js';
import type { Voting } from './services/voting.js';
import { WhatIfService } from './services/whatif.service.js';

const BODY_LIMIT = 4 * 1_048_576;

/** The services that the HTTP edge calls. */
export interface ApiServices {
  access: AccessService;
  audit: AuditService;
  auditHeads: AuditHeadsService;
  config: ConfigService;
  crewing: Crewing;
  dialogs: Dialogs;
  dialogRecords: DialogRecordsService;
  drain: DrainService;
  health: HealthService;
  keys: KeysService;
  models: ModelsService;
  outcomes: OutcomesService;
  people: People;
  providers: ProvidersService;
  requests: RequestsService;
  rights: RightsServices;
  routing: RoutingService;
  submissions: SubmissionsService;
  usage: UsageService;
  voting: Voting;
  whatIf: WhatIfService;
  log: Logger;
}

const CONTROLLERS = [
  AuditController,
  ChatController,
  CompletionsController,
  ConfigController,
  CrewRunsController,
  CrewsController,
  DaosController,
  DelegationsController,
  DevtoolsController,
  DialogsController,
  DiscordController,
  EmbeddingsController,
  HealthController,
  InvitationsController,
  KeysController,
  MembersController,
  PersonsController,
  MicrodaoController,
  ModelsController,
  ProposalsController,
  ProvidersController,
  RbacController,
  RequestsController,
  RolesController,
  RouteController,
  RoutingController,
  TelegramController,
  UsageController,
  VotesController,
  WhatIfController,
];

/** The HTTP edge. Services come from the composition root, ready made: they know nothing of Nest. */
@Module({})
class ApiModule {
  static of(services: ApiServices): DynamicModule {
    const providers: Provider[] = [
      { provide: AuditService, useValue: services.audit },
      { provide: AuditHeadsService, useValue: services.auditHeads },
      { provide: ConfigService, useValue: services.config },
      { provide: CrewRunsService, useValue: services.crewing.runs },
      { provide: CrewsService, useValue: services.crewing.crews },
      { provide: DaosService, useValue: services.people.daos },
      { provide: DelegationsService, useValue: services.voting.delegations },
      { provide: DialogRecordsService, useValue: services.dialogRecords },
      { provide: DiscordIntake, useValue: services.dialogs.discord?.intake },
      { provide: DrainService, useValue: services.drain },
      { provide: ForgettingService, useValue: services.people.forgetting },
      { provide: HealthService, useValue: services.health },
      { provide: InvitationsService, useValue: services.people.invitations },
      { provide: KeysService, useValue: services.keys },
      { provide: MembersService, useValue: services.people.members },
      { provide: MicrodaoService, useValue: services.rights.microdao },
      { provide: ModelsService, useValue: services.models },
      { provide: OutcomesService, useValue: services.outcomes },
      { provide: ProposalsService, useValue: services.voting.proposals },
      { provide: ProvidersService, useValue: services.providers },
      { provide: RequestsService, useValue: services.requests },
      { provide: ResolutionService, useValue: services.rights.resolution },
      { provide: RolesService, useValue: services.rights.roles },
      { provide: RoutingService, useValue: services.routing },
      { provide: SubmissionsService, useValue: services.submissions },
      { provide: TelegramIntake, useValue: services.dialogs.telegram?.intake },
      { provide: UsageService, useValue: services.usage },
      { provide: VotesService, useValue: services.voting.votes },
      { provide: WhatIfService, useValue: services.whatIf },
      OpenAiCalls,
      RoutedCalls,
    ];
    return { module: ApiModule, controllers: CONTROLLERS, providers };
  }
}

/**
 * Builds the API without listening.
 * @param publicUrl where clients reach it, for its description; absent: where it listens
 */
export async function createApi(services: ApiServices, publicUrl?: string): Promise<NestFastifyApplication> {
  const { log, keys, access, dialogs } = services;
  const app = await createHttpApp(ApiModule.of(services), {
    ...{ log, access, authenticator: keys, bodyLimit: BODY_LIMIT },
    guard: (server) => {
      guardWebhook(server, dialogs.telegram?.secret);
      guardInteractions(server, dialogs.discord?.publicKey);
    },
  });
  describeApi(app, { version: packageVersion(), publicUrl });
  await app.init();
  return app;
}
