/** Ids and queue names. Pure functions, used on both sides of the workflow boundary. */
import type { ChatAddress } from './dialog.js';
import type { Decision } from './request.js';

/** Task queues. Workflows and eager activities run on `orchestrator`. */
export const QUEUES = {
  orchestrator: 'orchestrator',
  ollama: 'llm-ollama',
  devtools: 'devtools',
  dialogs: 'dialogs',
} as const;

/** Workflow id of a chat. */
export const routeWorkflowId = (requestId: string): string => `route/${requestId}`;

/** Workflow id of a request. One request has at most one workflow, ever. */
export function requestWorkflowId(requestId: string, { mode, crew }: Pick<Decision, 'mode' | 'crew'>): string {
  if (mode === 'devtools') return `devtools/${requestId}`;
  return mode === 'crew' && crew ? crewWorkflowId(crew.id, requestId) : routeWorkflowId(requestId);
}

/** Workflow id of a run of a crew. */
export const crewWorkflowId = (crew: string, runId: string): string => `crew/${crew}/${runId}`;

/** Whether a workflow is the one of a run of a crew. */
export const isCrewWorkflow = (workflowId: string): boolean => workflowId.startsWith('crew/');

/** The request of a workflow, or undefined if it is another kind of workflow. */
export const requestIdOf = (workflowId: string): string | undefined =>
  /^(?:route|devtools|crew\/[^/]+)\/([^/]+)$/.exec(workflowId)?.[1];

/** Id of the request of a step: that of its run, and what it is in it. */
export const stepRequestId = (runId: string, key: string): string => `${runId}.${key}`;

/** The task of a step, by the key that it has in its run; of a manager's turn: what stands in its place. */
export const taskOfStep = (key: string): string => key.slice(0, key.lastIndexOf('-'));

/** The run of a step's request; undefined: it is none. */
export const runOf = (requestId: string): string | undefined => /^([^.]+)\../.exec(requestId)?.[1];

/** Workflow id of a proposal. One has at most one workflow at a time. */
export const proposalWorkflowId = (daoId: string, n: number): string => `proposal/${daoId}/${n}`;

/** Workflow id of a dialog: what goes on in one chat, or topic of it, is done by one workflow at a time. */
export const dialogWorkflowId = ({ source, chat, topic }: ChatAddress): string =>
  ['dialog', source, chat, ...(topic === '' ? [] : [topic])].join('/');

/** Workflow id of a DAO's news: it is spread by one workflow at a time. */
export const newsWorkflowId = (daoId: string): string => `news/${daoId}`;

/** Principals of keys themselves. No key but their own gives them. */
export const API_PRINCIPAL_PREFIX = 'api:';

/** The administrator that the admin key stands for. */
export const ADMIN_PRINCIPAL = `${API_PRINCIPAL_PREFIX}admin`;

/** How whoever comes with an access token is called: this, and the subject of the token. */
export const TOKEN_PRINCIPAL_PREFIX = 'mcp:';

/** Id and principal of the key with which bots act; it has no secret, so nobody calls with it. */
export const BOTS_KEY_ID = 'bots';
export const BOTS_PRINCIPAL = `${API_PRINCIPAL_PREFIX}bots`;

/** Who acts where nobody in particular does; no key has it, and nobody can be named so. */
export const SYSTEM_PRINCIPAL = `${API_PRINCIPAL_PREFIX}system`;

/** The schedule by which heads of the record are signed each day. */
export const AUDIT_HEADS_SCHEDULE = 'audit-heads';

/** Names under which workflows are registered; `workflows/index.ts` exports exactly these. */
export const WORKFLOWS = {
  routeRequest: 'routeRequest',
  devtoolsRun: 'devtoolsRun',
  crewRun: 'crewRun',
  proposal: 'proposal',
  dialog: 'dialog',
  news: 'news',
  auditHeads: 'auditHeads',
} as const;

/** How the routes begin by which requests come over MCP. */
export const MCP_ROUTE_PREFIX = 'mcp:';
