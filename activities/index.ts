import { createLlmActivities, type LlmActivities, type LlmDependencies } from './llm/generate.js';
import { createRecordActivities, type RecordActivities } from './records.js';

/** Everything that activities need. */
export type ActivityDependencies = LlmDependencies;
/** All activities, by the names under which workflows call them. */
export type Activities = LlmActivities & RecordActivities;

/** Activities of every queue; a worker of one queue uses its part. */
export const createActivities = (deps: ActivityDependencies): Activities => ({
  ...createLlmActivities(deps),
  ...createRecordActivities(deps),
});
