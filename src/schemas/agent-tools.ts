import { z } from 'zod';
import { CREW_TOOLS, type AgentTool, type CrewToolName } from '../contracts/crew.js';
import { TOOLS, type ToolName } from '../contracts/devtools.js';
import { toolRequest, TOOL_PARAMS } from './devtools.js';
import { jsonSchema } from './json-schema.js';

/** A tool as agents are told of it, with the check of its parameters. */
export interface AgentToolSpec {
  name: AgentTool;
  description: string;
  /** JSON Schema of an object. */
  parameters: Record<string, unknown>;
  /** Says in sentences what of the parameters does not fit; nothing: they fit. */
  validate: (params: unknown) => string[];
}

const DESCRIPTIONS: Readonly<Record<AgentTool, string>> = {
  fs_read: 'Read a file of the workspace.',
  fs_write: 'Write a file of the workspace; people are asked first.',
  fs_list: 'List a folder of the workspace.',
  fs_search: 'Search the files of the workspace.',
  fs_diff: 'Compare a file with another, or with a text.',
  fs_patch: 'Apply a unified diff to files; people are asked first.',
  run_tests: 'Run the tests of a folder.',
  git_status: 'Show what changed since the last commit.',
  git_diff: 'Show changes as a unified diff.',
  git_log: 'List commits, the newest first.',
  notebook_execute: 'Execute a notebook.',
  dao_facts: 'Name and facts of the DAO.',
  dao_roles: 'Roles of the DAO, and what they give.',
  dao_proposals: 'Proposals of the DAO, or one of them by its number.',
  ask_member: 'Ask whoever started this a question, and wait for the answer.',
};

/** Parameters of the tools that are not of the workspace. */
const CREW_PARAMS = {
  dao_facts: z.strictObject({}),
  dao_roles: z.strictObject({}),
  dao_proposals: z.strictObject({
    n: z.number().int().min(1).exactOptional().meta({ description: 'Number of a proposal; left out: a list.' }),
  }),
  ask_member: z.strictObject({ question: z.string().min(1).max(1_000).meta({ description: 'What is asked.' }) }),
} satisfies Record<CrewToolName, z.ZodType>;

const sentences = (issues: readonly z.core.$ZodIssue[]): string[] =>
  issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));

const workspaceTool = (name: ToolName): AgentToolSpec => ({
  name,
  description: DESCRIPTIONS[name],
  parameters: { ...jsonSchema(TOOL_PARAMS[name]) },
  validate: (params) => {
    const request = toolRequest(name, params);
    return Array.isArray(request) ? sentences(request) : [];
  },
});

const crewTool = (name: CrewToolName): AgentToolSpec => ({
  name,
  description: DESCRIPTIONS[name],
  parameters: { ...jsonSchema(CREW_PARAMS[name]) },
  validate: (params) => {
    const parsed = CREW_PARAMS[name].safeParse(params);
    return parsed.success ? [] : sentences(parsed.error.issues);
  },
});

/** Every tool that an agent may be given, by its name. */
export const agentTools = (): ReadonlyMap<AgentTool, AgentToolSpec> =>
  new Map([...TOOLS.map(workspaceTool), ...CREW_TOOLS.map(crewTool)].map((tool) => [tool.name, tool]));
