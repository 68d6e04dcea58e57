export { crewRun } from './crew-run/workflow.js';
export { devtoolsRun } from './devtools-run/workflow.js';
export { dialog } from './dialog/workflow.js';
export { news } from './news/workflow.js';
export { proposal } from './proposal/workflow.js';
export { routeRequest } from './route-request/workflow.js';
export { auditHeads } from './schedules/audit-heads/workflow.js';
