import { createAnswerActivities, type AnswerActivities, type AnswersDependencies } from './answers.js';
import { createAuditHeadsActivities, type AuditHeadsActivities, type AuditHeadsDependencies } from './audit-heads.js';
import { createCrewActivities, goingOn, type CrewActivities, type CrewDependencies } from './crew.js';
import type { DialogActivities, DialogsDependencies } from './dialogs.js';
import type { NewsActivities, NewsDependencies } from './news.js';
import type { DevtoolsActivities, DevtoolsDependencies } from './devtools.js';
import { createLlmActivities, type LlmActivities, type LlmDependencies } from './llm/generate.js';
import { createProposalActivities, type ProposalActivities, type ProposalsDependencies } from './proposals.js';
import { createRecordActivities, type RecordActivities, type RecordsDependencies } from './records.js';

/** What the activities of the workflows' own queue need. */
export type OrchestratorDependencies = LlmDependencies &
  AnswersDependencies &
  RecordsDependencies &
  AuditHeadsDependencies &
  CrewDependencies &
  ProposalsDependencies;
/** Everything that activities need. */
export type ActivityDependencies = OrchestratorDependencies &
  DevtoolsDependencies &
  DialogsDependencies &
  NewsDependencies;

export type OrchestratorActivities = LlmActivities &
  AnswerActivities &
  RecordActivities &
  AuditHeadsActivities &
  CrewActivities &
  ProposalActivities;
/** All activities, by the names under which workflows call them. */
export type Activities = OrchestratorActivities & DevtoolsActivities & DialogActivities & NewsActivities;

/** Activities of the workflows' own queue; calls to models of other queues and tools have workers of their own. */
export const createActivities = (deps: OrchestratorDependencies): OrchestratorActivities => ({
  generate: goingOn(createLlmActivities(deps), deps),
  ...createAnswerActivities(deps),
  ...createRecordActivities(deps),
  ...createAuditHeadsActivities(deps),
  ...createCrewActivities(deps),
  ...createProposalActivities(deps),
});
