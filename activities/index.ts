import { createAnswerActivities, type AnswerActivities, type AnswersDependencies } from './answers.js';
import { createAuditHeadsActivities, type AuditHeadsActivities, type AuditHeadsDependencies } from './audit-heads.js';
import type { DevtoolsActivities, DevtoolsDependencies } from './devtools.js';
import { createLlmActivities, type LlmActivities, type LlmDependencies } from './llm/generate.js';
import { createProposalActivities, type ProposalActivities, type ProposalsDependencies } from './proposals.js';
import { createRecordActivities, type RecordActivities, type RecordsDependencies } from './records.js';

/** Everything that activities need. */
export type ActivityDependencies = LlmDependencies &
  AnswersDependencies &
  RecordsDependencies &
  AuditHeadsDependencies &
  DevtoolsDependencies &
  ProposalsDependencies;
/** All activities, by the names under which workflows call them. */
export type Activities = LlmActivities &
  AnswerActivities &
  RecordActivities &
  AuditHeadsActivities &
  DevtoolsActivities &
  ProposalActivities;

/** Activities of the workflows' own queue; calls to models of other queues and tools have workers of their own. */
export const createActivities = (deps: ActivityDependencies): Omit<Activities, keyof DevtoolsActivities> => ({
  ...createLlmActivities(deps),
  ...createAnswerActivities(deps),
  ...createRecordActivities(deps),
  ...createAuditHeadsActivities(deps),
  ...createProposalActivities(deps),
});
