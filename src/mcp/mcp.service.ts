import { createRequestStateCodec, type McpRequestContext, type RequestStateCodec } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { Authenticator } from '../middleware/authenticate.js';
import type { AccessService } from '../services/access.service.js';
import type { CrewRunsService } from '../services/crew-runs.service.js';
import type { CrewsService } from '../services/crews.service.js';
import type { DaosService } from '../services/daos.service.js';
import type { DialogRecordsService } from '../services/dialog-records.service.js';
import type { DrainService } from '../services/drain.service.js';
import type { MicrodaoService } from '../services/microdao.service.js';
import type { OutcomesService } from '../services/outcomes.service.js';
import type { ProposalsService } from '../services/proposals.service.js';
import type { RepeatedCallsService } from '../services/repeated-calls.service.js';
import type { RequestsService } from '../services/requests.service.js';
import type { VotesService } from '../services/votes.service.js';
import { McpCalls } from './calls.js';
import type { McpCaller } from './caller.js';
import type { McpOAuth } from './oauth.js';
import type { AskedState, ToolParts } from './parts.js';
import type { ProtocolServer } from './protocol-server.js';
import { missingScope } from './scopes.js';
import type { PromptParts } from './prompts/prompt.js';
import {
  Subscriptions,
  type Listening,
  type RefusedSubscription,
  type Subscription,
} from './resources/subscriptions.js';
import { WorkspaceFiles } from './resources/workspace.js';
import { mcpServer } from './surface.js';
import type { McpTool } from './tool.js';
import { crewApprove, crewCancel, crewStatus } from './tools/crew-tools.js';
import { devtoolsTask } from './tools/devtools-task.js';
import { microdaoQuery } from './tools/microdao-query.js';
import { routerCall } from './tools/router-call.js';
import { workflowRun } from './tools/workflow-run.js';

/** Most of what is wrong with a call that the log is told, in characters. */
const LONGEST_REASON = 200;
/** How long a question to a person may take, in seconds. */
const ASKED_FOR_S = 86_400;

/** The use cases behind tools and resources. */
export interface McpServices {
  access: AccessService;
  crews: CrewsService;
  daos: DaosService;
  dialogs: DialogRecordsService;
  drain: DrainService;
  microdao: MicrodaoService;
  outcomes: OutcomesService;
  proposals: ProposalsService;
  repeated: RepeatedCallsService;
  requests: RequestsService;
  runs: CrewRunsService;
  votes: VotesService;
}

export interface McpServiceOptions {
  version: string;
  log: Logger;
  /** Says of a caller who stays whether their key opens anything still. */
  authenticator: Authenticator;
  /** Seals what clients carry; the same for all processes. At least 32 bytes. */
  secret: Uint8Array;
  oauth: McpOAuth;
  /** Changes each server before it answers: for what is served beside the product's own. */
  extend?: ExtendMcp | undefined;
}

/** Adds to the server of one call, which has its handlers; `states` seals what its client carries. */
export type ExtendMcp = (
  server: ProtocolServer,
  call: Pick<McpRequestContext, 'era'> & { states: RequestStateCodec<AskedState> },
) => void;

/** What is offered over MCP, made for each call. */
export class McpService {
  private readonly calls: McpCalls;
  private readonly reading: PromptParts;
  private readonly subscriptions: Subscriptions;

  constructor(
    private readonly services: McpServices,
    private readonly options: McpServiceOptions,
  ) {
    const { repeated, outcomes, drain } = services;
    this.calls = new McpCalls(repeated, outcomes, drain);
    this.reading = { ...services, files: new WorkspaceFiles(services) };
    this.subscriptions = new Subscriptions(this.reading, drain, options.authenticator);
  }

  /** The server of one call, for its caller. */
  serverFor(caller: McpCaller, context: Pick<McpRequestContext, 'era'>): ProtocolServer {
    const { version, extend } = this.options;
    const parts = this.partsFor(caller);
    const onError = (error: Error): void => {
      this.warn(caller, error);
    };
    const server = mcpServer({ tools: toolsOf(parts), parts, version, onError }, caller, context);
    extend?.(server, { era: context.era, states: parts.states });
    return server;
  }

  /** Turns away, on the record, whose token does not let a call through. @throws AppError `SCOPE_MISSING` */
  async requireScope(caller: McpCaller, message: unknown): Promise<void> {
    const { key } = caller;
    if (!key.token) return;
    const refusal = missingScope(key, message, { tools: toolsOf(this.partsFor(caller)), oauth: this.options.oauth });
    if (!refusal) return;
    await this.services.access.deniedToKey(key, { required_entitlement: refusal.detail.required_entitlement });
    throw refusal;
  }

  /** Opens the subscription that a call asks for, or says why not; undefined: it asks for none. */
  subscribe(listening: Listening): Promise<Subscription | RefusedSubscription | undefined> {
    const { requestId, fields } = listening.caller;
    return this.subscriptions.begin(listening, (error) => {
      this.options.log.warn(
        { request_id: requestId, ...fields, err: error },
        'a look for a subscriber failed, and is taken again',
      );
    });
  }

  private partsFor(caller: McpCaller): ToolParts {
    return { ...this.services, calls: this.calls, states: this.statesOf(caller), reading: this.reading };
  }

  /** What a caller carries is of no use to another. */
  private statesOf({ key, named }: McpCaller): RequestStateCodec<AskedState> {
    const bound = `${key.id} ${key.principal} ${JSON.stringify(named)}`;
    return createRequestStateCodec({ key: this.options.secret, ttlSeconds: ASKED_FOR_S, bind: () => bound });
  }

  /** Whatever goes wrong beside an answer is a matter of the log: without what the client sent, which messages quote. */
  warn({ requestId, fields }: McpCaller, { name, message }: Error): void {
    const [reason = ''] = message.slice(0, LONGEST_REASON).split(/["{[]/, 1);
    this.options.log.info({ request_id: requestId, ...fields, err: { name, reason } }, 'a call over MCP was refused');
  }
}

/** All tools, in the order in which clients see them. */
export const toolsOf = (parts: ToolParts): McpTool[] =>
  [routerCall, devtoolsTask, workflowRun, microdaoQuery, crewStatus, crewApprove, crewCancel].map((tool) =>
    tool(parts),
  );
