import { createAnswerActivities, type AnswerActivities, type AnswersDependencies } from './answers.js';
import { createAuditHeadsActivities, type AuditHeadsActivities, type AuditHeadsDependencies } from './audit-heads.js';
import { createLlmActivities, type LlmActivities, type LlmDependencies } from './llm/generate.js';
import { createProposalActivities, type ProposalActivities, type ProposalsDependencies } from './proposals.js';
import { createRecordActivities, type RecordActivities, type RecordsDependencies } from './records.js';

/** Everything that activities need. */
export type ActivityDependencies = LlmDependencies &
  AnswersDependencies &
  RecordsDependencies &
  AuditHeadsDependencies &
  ProposalsDependencies;
/** All activities, by the names under which workflows call them. */
export type Activities = LlmActivities &
  AnswerActivities &
  RecordActivities &
  AuditHeadsActivities &
  ProposalActivities;

/** Activities of every queue; a worker of one queue uses its part. */
export const createActivities = (deps: ActivityDependencies): Activities => ({
  ...createLlmActivities(deps),
  ...createAnswerActivities(deps),
  ...createRecordActivities(deps),
  ...createAuditHeadsActivities(deps),
  ...createProposalActivities(deps),
});
