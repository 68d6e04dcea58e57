export { routeRequest } from './route-request/workflow.js';
