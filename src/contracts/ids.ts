/** Ids and queue names. Pure functions, used on both sides of the workflow boundary. */

/** Task queues. Workflows and eager activities run on `orchestrator`. */
export const QUEUES = {
  orchestrator: 'orchestrator',
  ollama: 'llm-ollama',
  devtools: 'devtools',
} as const;
export type Queue = (typeof QUEUES)[keyof typeof QUEUES];

/** Workflow id of a routed request. One request has at most one workflow, ever. */
export const routeWorkflowId = (requestId: string): string => `route/${requestId}`;

/** The administrator that the admin key stands for. It cannot be named by another key. */
export const ADMIN_PRINCIPAL = 'api:admin';

/** Names under which workflows are registered; `workflows/index.ts` exports exactly these. */
export const WORKFLOWS = { routeRequest: 'routeRequest' } as const;
