import type { AgentTool, JsonSchema } from '../../contracts/crew.js';
import type { AgentRoute } from './run-state.js';
import type { AllowedTool, Validate } from './turn.js';
import type { OfferedTool } from './turn-way.js';

/** What the advance of a run asks of the world around it. */
export interface AdvanceKit {
  now: Date;
  /** Where the turns of an agent go at this moment. */
  readonly routeOf: (agent: string) => AgentRoute;
  /** A tool as agents are told of it, with the check of its parameters. */
  readonly tool: (name: AgentTool) => OfferedTool & AllowedTool;
  /** A check of outputs against a schema. */
  readonly validator: (schema: JsonSchema) => Validate;
  /** Parses JSON and what is almost JSON; may throw. */
  readonly parseJson: (text: string) => unknown;
  /** Roles of the DAO, if outputs of the crew are held to them. */
  roles: readonly string[];
  /** Why nothing more may be bought this month; undefined: it may. */
  broke: string | undefined;
}
