import type { RequestStateCodec } from '@modelcontextprotocol/server';
import type { CrewRunsService } from '../services/crew-runs.service.js';
import type { CrewsService } from '../services/crews.service.js';
import type { MicrodaoService } from '../services/microdao.service.js';
import type { OutcomesService } from '../services/outcomes.service.js';
import type { RequestsService } from '../services/requests.service.js';
import type { RepeatedCallsService } from '../services/repeated-calls.service.js';
import type { AccessService } from '../services/access.service.js';
import type { McpCalls } from './calls.js';
import type { PromptParts } from './prompts/prompt.js';

/** What a client carries from one round of questions to the next: sealed, since it comes back through its hands. */
export interface AskedState {
  /** The call that asked: its tool and arguments. */
  call: string;
  /** Inputs of a crew that were asked for before. */
  inputs?: Record<string, unknown>;
  /** The run that asks. */
  run?: string;
}

/** What tools are made of. */
export interface ToolParts {
  access: AccessService;
  calls: McpCalls;
  crews: CrewsService;
  microdao: MicrodaoService;
  outcomes: OutcomesService;
  /** What resources and prompts are made of. */
  reading: PromptParts;
  repeated: RepeatedCallsService;
  requests: RequestsService;
  runs: CrewRunsService;
  /** Seals what a client carries from one round of questions to the next. */
  states: RequestStateCodec<AskedState>;
}
