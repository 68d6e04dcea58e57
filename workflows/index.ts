export { routeRequest } from './route-request/workflow.js';
export { auditHeads } from './schedules/audit-heads/workflow.js';
