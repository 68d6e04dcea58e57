import type {
  AgentDefinition,
  CrewDefinition,
  CrewPlan,
  GatherDefinition,
  PlannedTask,
  Process,
  Spending,
  TaskDefinition,
} from '../../src/contracts/crew.js';

export const anAgent = (changes: Partial<AgentDefinition> = {}): AgentDefinition => ({
  role: 'a planner',
  goal: 'Plan well.',
  tools: [],
  limits: { turns: 6, tool_calls: 12, max_tokens: 800 },
  ...changes,
});

export const TEXT = { type: 'string', maxLength: 100 };

/** Of a task: what every one has. */
const TASK = {
  agent: 'planner',
  instruction: 'Plan it.',
  needs: [],
  uses: [],
  gather: [],
  tools: [],
  unapproved_writes: false,
  output: { type: 'object', properties: { text: TEXT }, required: ['text'], additionalProperties: false },
  checks: [],
  repairs: 2,
  retries: 1,
  max_returns: 3,
  on_failure: 'fail' as const,
};

export const aTaskDefinition = (changes: Partial<TaskDefinition> = {}): TaskDefinition => ({ ...TASK, ...changes });

/** Something that is read before an agent begins, `gathered.facts`. */
export const aGather = (changes: Partial<GatherDefinition> = {}): GatherDefinition => ({
  ...{ as: 'facts', tool: 'dao_facts', params: {}, most: 20, optional: false },
  ...changes,
});

export const aCrew = (changes: Partial<CrewDefinition> = {}): CrewDefinition => ({
  id: 'planning',
  name: 'Planning',
  description: 'Plans.',
  process: 'sequential',
  inputs: { type: 'object', properties: {} },
  open_to_guests: false,
  agents: { planner: anAgent() },
  tasks: { plan: aTaskDefinition() },
  result: { text: 'plan.text' },
  budget: {},
  limit_roles: ['admin'],
  max_handoffs: 30,
  ...changes,
});

export const aPlannedTask = (id: string, needs: string[] = [], changes: Partial<PlannedTask> = {}): PlannedTask => ({
  ...{ id, needs, onFailure: 'fail', hasApproval: false, hasAction: false },
  ...changes,
});

export const aPlan = (process: Process, tasks: PlannedTask[]): CrewPlan => ({ process, tasks });

export const aSpending = (tokens = 10, changes: Partial<Spending> = {}): Spending => ({
  usage: { prompt_tokens: tokens - 1, completion_tokens: 1, total_tokens: tokens },
  ...{ ms: 100, modelCalls: 1, toolCalls: 0 },
  ...changes,
});

/** Room for all runs that a test begins. */
export const ROOM = { person: 1_000, dao: 1_000 };
