/** Crews: what they are made of, how a run of one stands, what people are asked in it. */
import type { ToolName } from './devtools.js';
import type { Usage } from './request.js';

/** A schema in the part of JSON Schema that crews may use; see `config/crew-schema.ts`. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const PROCESSES = ['sequential', 'parallel', 'hierarchical'] as const;
export type Process = (typeof PROCESSES)[number];

/** What agents can ask for beside the tools of a workspace. `ask_member` asks whoever started the run. */
export const CREW_TOOLS = ['dao_facts', 'dao_roles', 'dao_proposals', 'ask_member'] as const;
export type CrewToolName = (typeof CREW_TOOLS)[number];
export type AgentTool = ToolName | CrewToolName;

/**
 * Where a value comes from, with dots between names: `inputs.<name>`, `gathered.<as>`, or `<task>` for the output of a
 * task, each with further names into it: `inputs.proposal.title`, `plan.subtasks`. `[]` leads into each entry of a list
 * and gives a list of what is there: `plan.subtasks[].id`.
 */
export type Reference = string;

/** Who does the work: a part of what models are told. */
export interface AgentDefinition {
  role: string;
  goal: string;
  backstory?: string;
  /** Absent: the rules choose. A name is open to whoever the rules lead there, as `provider/<name>` is. */
  provider?: string;
  /** What the agent may use in any task; each task allows some of them. */
  tools: readonly AgentTool[];
  limits: AgentLimits;
}

export interface AgentLimits {
  /** Most turns of a model in one attempt at a task: first answer, uses of tools, repairs. */
  turns: number;
  /** Most uses of tools in one attempt at a task. */
  tool_calls: number;
  /** Longest answer of one turn, in tokens. */
  max_tokens: number;
}

/** Something that is read before an agent begins, so that it need not ask for it: a tool that changes nothing. */
export interface GatherDefinition {
  /** Name under which the task has it: `gathered.<as>`. */
  as: string;
  tool: AgentTool;
  /**
   * Values, or `{ from: reference }`; one whose reference leads to nothing is left out. In `each`, `{ from: 'item' }` is
   * the one at hand, `{ from: 'item.path' }` a part of it.
   */
  params: Readonly<Record<string, unknown>>;
  /** Does it once for each item of a list, at most `most` of them. */
  each?: Reference;
  most: number;
  /**
   * Whether the task goes on where the tool refuses. What it was to give is absent then; in `each`, that entry of the
   * list is left out.
   */
  optional: boolean;
  /** A name that several bear: each is optional, but at least one of them gives something, or the task fails. */
  one_of?: string;
}

/** A check of an output beyond its schema. Paths lead into the output, `[]` for each item of a list: `subtasks[].id`. */
export type CheckDefinition =
  /** The graph of nodes and what they depend on has no cycle, and names only nodes. */
  | { check: 'acyclic'; nodes: string; edges: string }
  /** No two values are alike. */
  | { check: 'unique'; at: string }
  /** Every value is among those that a reference leads to, or one of several. */
  | { check: 'among'; at: string; values: Reference | readonly Reference[] }
  /** Every value that a reference leads to is there. */
  | { check: 'covers'; at: string; values: Reference }
  /** The value is one of these roles, and a role of the DAO. */
  | { check: 'role'; at: string; among: readonly string[] };

/** Who decides, and how. */
export interface ApprovalDefinition {
  /** What the deciding people are asked. */
  ask: string;
  /** Roles of the DAO whose members may decide. */
  roles: readonly string[];
  /** How many must approve; one who rejects is enough to reject. */
  count: number;
  /** When they are reminded, and when it counts as rejected, in seconds after it was asked. */
  remind_after_s: number;
  expires_after_s: number;
  /** Whether whoever started the run may decide, too. */
  self: boolean;
}

/** What is done in the DAO, by the right of those who approved it. */
export interface ActionDefinition {
  /** Gives a role to whom the run is about. */
  action: 'assign_role';
  role: Reference;
  /** Roles that may be given so. */
  assignable: readonly string[];
}

export const FAILURE_POLICIES = ['fail', 'skip'] as const;

export interface TaskDefinition {
  agent: string;
  /** What is to be done, by the author of the crew: never with text of others in it. */
  instruction: string;
  /** Tasks whose output must be there. */
  needs: readonly string[];
  /** What the agent is shown, as data. */
  uses: readonly Reference[];
  gather: readonly GatherDefinition[];
  /** Tools of the agent that it may use here. */
  tools: readonly AgentTool[];
  /** Whether tools that write do so without an approval. */
  unapproved_writes: boolean;
  output: JsonSchema;
  checks: readonly CheckDefinition[];
  /** Turns in which an output that does not fit is sent back to be repaired. */
  repairs: number;
  /** Further attempts after a failed one. */
  retries: number;
  on_failure: (typeof FAILURE_POLICIES)[number];
  /** Asked before each use of a tool that writes; exactly what was approved is done. */
  tool_approval?: ApprovalDefinition;
  /** Asked when the output is there, before anything that needs it begins. */
  approval?: ApprovalDefinition;
  /** How often people may send the task back. */
  max_returns: number;
  /** Done when the output is approved. */
  action?: ActionDefinition;
}

export interface BudgetDefinition {
  tokens?: number;
  cost_usd?: number;
  /** Of work, in seconds; waiting for people does not count. */
  time_s?: number;
}

/** A crew, as its file or the API gives it, with everything that was left out filled in. */
export interface CrewDefinition {
  id: string;
  name: string;
  description: string;
  process: Process;
  /** Of process hierarchical: the agent that decides who works on what. */
  manager?: string;
  /** Of an object: what a run is given. */
  inputs: JsonSchema;
  /** The input that holds the text where a run is started by words alone. */
  text_input?: string;
  /**
   * The input that names whom a run is about; absent: nobody in particular. Left out by whoever starts a run, it is
   * themselves; another person may be named by whoever may invite members.
   */
  subject?: string;
  /** Whether somebody without `agent.crew` may start a run about themselves. */
  open_to_guests: boolean;
  agents: Readonly<Record<string, AgentDefinition>>;
  /** In the order in which a sequential crew does them. */
  tasks: Readonly<Record<string, TaskDefinition>>;
  /** Names of the result, each with where its value comes from. */
  result: Readonly<Record<string, Reference>>;
  budget: BudgetDefinition;
  /** Roles whose members decide whether a run goes on that has reached a limit. */
  limit_roles: readonly string[];
  /** Of process hierarchical: how often the manager decides. */
  max_handoffs: number;
}

/** In which order the tasks of a crew come: ids alone, in the order of the file. */
export interface CrewPlan {
  process: Process;
  tasks: PlannedTask[];
}

export interface PlannedTask {
  id: string;
  needs: string[];
  onFailure: TaskDefinition['on_failure'];
  hasApproval: boolean;
  hasAction: boolean;
}

/** `reused`: taken from an earlier run. `returned`: sent back with a comment, being worked on again. */
export const TASK_STATES = [
  'waiting',
  'running',
  'asking',
  'waiting_approval',
  'returned',
  'completed',
  'reused',
  'skipped',
  'failed',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Why a run waits for a person: an output to be approved, a question of an agent, a limit that was reached. */
export const GATE_KINDS = ['approval', 'question', 'limit'] as const;
export type GateKind = (typeof GATE_KINDS)[number];

export const GATE_STATES = [
  'open',
  'approved',
  'rejected',
  'returned',
  'answered',
  'continued',
  'expired',
  'closed',
] as const;
export type GateState = (typeof GATE_STATES)[number];

/** What one person decided. */
export interface GateDecision {
  /** Of an approval: approve, reject, or send back with a comment. Of a question: the answer. Of a limit: go on or stop. */
  decision: 'approve' | 'reject' | 'return' | 'answer' | 'continue' | 'stop';
  comment?: string;
  /** Of `approve`: the output as the person changed it. */
  output?: Readonly<Record<string, unknown>>;
}

/** What a crew's run gives. */
export interface CrewData {
  result: Record<string, unknown>;
  /** The last output of each agent. */
  agents: Record<string, unknown>;
}

/** How a run stands, beyond the status of its request. */
export type RunState =
  'running' | 'waiting_approval' | 'waiting_answer' | 'paused' | 'completed' | 'failed' | 'cancelled';

/** What a task or a run has used so far. */
export interface Spending {
  usage: Usage;
  /** Work, in milliseconds. */
  ms: number;
  modelCalls: number;
  toolCalls: number;
}
