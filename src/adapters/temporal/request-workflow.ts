import type { CrewRunInput } from '../../contracts/crew-steps.js';
import { WORKFLOWS } from '../../contracts/ids.js';
import type { Decision, Mode, RouteRequestInput } from '../../contracts/request.js';

/** Names of the workflows that do requests, by their modes. */
const WORKFLOW_OF: Readonly<Record<Mode, string>> = {
  chat: WORKFLOWS.routeRequest,
  devtools: WORKFLOWS.devtoolsRun,
  crew: WORKFLOWS.crewRun,
};

export const workflowOf = ({ mode }: Decision): string => WORKFLOW_OF[mode];

/** What the workflow of a request is given. */
export function argumentOf(input: RouteRequestInput): RouteRequestInput {
  const { requestId: runId, daoId, actor, decision } = input;
  if (!decision.crew) return input;
  const run: CrewRunInput = { version: 1, runId, daoId, actor, crew: decision.crew.id };
  // The client is told of one type for all three; what each takes is its own.
  return run as unknown as RouteRequestInput;
}

/** What an operator reads first, in the Temporal Web UI. */
export function summaryOf({ mode, rule, tool, crew }: Decision): string {
  if (tool) return `${mode}: ${tool}`;
  return crew ? `${mode}: ${crew.id}` : `${mode} by rule ${rule}`;
}
