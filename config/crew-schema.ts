import { z } from 'zod';
import { GUEST_ROLE } from '../src/contracts/access.js';
import { CREW_TOOLS, FAILURE_POLICIES, PROCESSES } from '../src/contracts/crew.js';
import { TOOLS } from '../src/contracts/devtools.js';
import { DataSchema } from './crew-data-schema.js';
import { crewId, outputPath, partName, reference } from './crew-names.js';
import { name } from './provider-schema.js';

const MOST_AGENTS = 20;
const MOST_TASKS = 50;
const DAY_S = 86_400;

const text = (most: number) => z.string().max(most).regex(/\S/, 'expected some text');
const whole = (least: number, most: number) => z.number().int().min(least).max(most);
const tool = z.enum([...TOOLS, ...CREW_TOOLS]);

const TEMPLATE = /\{\{|\$\{|\{(inputs|gathered)\b/;

/** A text that models are told as the author's. */
const told = (most: number) =>
  text(most).refine(
    (words) => !TEMPLATE.test(words),
    'there are no templates: name the values in `uses`, and they are shown beside this text',
  );

/** Entries by their ids, between one and so many. */
const named = <T extends z.ZodType>(entry: T, most: number, what: string) =>
  z
    .record(crewId, entry)
    .refine((entries) => Object.keys(entries).length > 0, `expected at least one ${what}`)
    .refine((entries) => Object.keys(entries).length <= most, `expected at most ${most} ${what}s`)
    .meta({ minProperties: 1, maxProperties: most });

const unlike = (what: string) => (entries: readonly unknown[], context: z.RefinementCtx) => {
  const seen = new Set<unknown>();
  entries.forEach((entry, index) => {
    if (seen.has(entry)) context.addIssue({ code: 'custom', path: [index], message: `the ${what} is there twice` });
    seen.add(entry);
  });
};

/** Names of roles of a DAO. */
const roleNames = z.array(text(64)).min(1).max(10).superRefine(unlike('role'));

/** Whoever may do everything, and whoever has no role at all: neither is given on the word of a model. */
const NEVER_GIVEN: readonly string[] = ['admin', GUEST_ROLE];

const givenRoles = roleNames.superRefine((roles, context) => {
  roles.forEach((role, index) => {
    if (NEVER_GIVEN.includes(role))
      context.addIssue({ code: 'custom', path: [index], message: `the role "${role}" is never given by a crew` });
  });
});

const AgentSchema = z.strictObject({
  role: told(500).describe('Who the agent is; the model is told.'),
  goal: told(2_000).describe('What the agent is after; the model is told.'),
  backstory: told(8_000).exactOptional().describe('What else the model is told of the agent.'),
  provider: name.exactOptional().describe('Who is asked. Left out: the routing rules choose.'),
  tools: z
    .array(tool)
    .superRefine(unlike('tool'))
    .default([])
    .describe('What the agent may use; each task allows some.'),
  limits: z
    .strictObject({
      turns: whole(1, 50).default(6).describe('Most turns of a model in one attempt at a task. Default 6.'),
      tool_calls: whole(0, 100).default(12).describe('Most uses of tools in one attempt. Default 12.'),
      max_tokens: whole(16, 32_768).default(800).describe('Longest answer of one turn, in tokens. Default 800.'),
    })
    .prefault({})
    .describe('What one attempt at a task may take.'),
});

const GatherSchema = z.strictObject({
  as: crewId.describe('The name by which the task has it: gathered.<as>.'),
  tool: tool.describe('A tool that changes nothing.'),
  params: z
    .record(partName, z.unknown())
    .default({})
    .describe('Parameters: values, or { from: reference }; with each, from: item is the entry at hand.'),
  each: reference.exactOptional().describe('A list: the tool is used once for each entry.'),
  most: whole(1, 100).default(20).describe('With each: most entries. Default 20.'),
  optional: z.boolean().default(false).describe('true: the task goes on without it where the tool refuses.'),
  one_of: crewId
    .exactOptional()
    .describe('A name that several bear: one of them must give something; the others need not.'),
});

const values = z
  .union([reference, z.array(reference).min(1).max(10)], { error: 'expected a reference, or a list of them' })
  .describe('The references that lead to the values.');
const at = outputPath.describe('Path into the output, [] for each entry of a list: subtasks[].id.');

const CHECKS = ['acyclic', 'unique', 'among', 'covers', 'role'] as const;

const CheckSchema = z.discriminatedUnion(
  'check',
  [
    z.strictObject({
      check: z.literal('acyclic').describe('What depends on what has no circle, and names only nodes.'),
      nodes: outputPath.describe('Path to the names of the nodes: subtasks[].id.'),
      edges: outputPath.describe('Path to what each of them depends on: subtasks[].depends_on.'),
    }),
    z.strictObject({ check: z.literal('unique').describe('No two values are alike.'), at }),
    z.strictObject({ check: z.literal('among').describe('Every value is one of those.'), at, values }),
    z.strictObject({
      check: z.literal('covers').describe('All of those values are there.'),
      at,
      values: reference.describe('The reference that leads to the values.'),
    }),
    z.strictObject({
      check: z.literal('role').describe('The value is one of some roles, and a role of the DAO.'),
      at,
      among: roleNames.describe('Those roles.'),
    }),
  ],
  { error: `expected \`check\`, one of ${CHECKS.join(', ')}` },
);

const ApprovalSchema = z.strictObject({
  ask: text(2_000).describe('What the people who decide are asked.'),
  roles: roleNames.describe('Roles of the DAO whose members may decide.'),
  count: whole(1, 20).default(1).describe('How many must approve; one who rejects is enough to reject. Default 1.'),
  remind_after_s: whole(60, 90 * DAY_S)
    .default(DAY_S)
    .describe('When they are reminded, in seconds. Default 86400, a day.'),
  expires_after_s: whole(60, 90 * DAY_S)
    .default(7 * DAY_S)
    .describe('When it counts as rejected, in seconds. Default 604800, a week.'),
  self: z.boolean().default(false).describe('Whether whoever started the run may decide, too. Default false.'),
});

const ActionSchema = z.strictObject({
  action: z
    .literal('assign_role')
    .describe('Gives the subject of the run a role of the DAO, by the right of whoever approved it.'),
  role: reference.describe('Reference to the role.'),
  assignable: givenRoles.describe('Roles that may be given so; admin and guest never.'),
});

const SAME = 'The same as writes_without_approval, as the API gives it back.';

const TaskSchema = z.strictObject({
  agent: crewId.describe('The agent who does it.'),
  instruction: told(8_000).describe('What is to be done. Text of others is never put into it; see uses.'),
  needs: z.array(crewId).max(MOST_TASKS).superRefine(unlike('task')).default([]).describe('Tasks that come before it.'),
  uses: z.array(reference).max(20).superRefine(unlike('reference')).default([]).describe('What it is shown, as data.'),
  gather: z.array(GatherSchema).max(10).default([]).describe('What is read for it before its agent begins.'),
  tools: z.array(tool).superRefine(unlike('tool')).default([]).describe('Tools of its agent that it may use here.'),
  writes_without_approval: z
    .boolean()
    .exactOptional()
    .describe('true: tools that write do so without an approval. Default false.'),
  unapproved_writes: z.boolean().exactOptional().describe(SAME),
  output: DataSchema.describe('Schema of what comes out of it: an object.'),
  checks: z.array(CheckSchema).max(20).default([]).describe('What must hold of the output beyond its schema.'),
  repairs: whole(0, 10).default(2).describe('How often an output that does not fit is sent back. Default 2.'),
  retries: whole(0, 5).default(1).describe('Further attempts after a failed one. Default 1.'),
  on_failure: z
    .enum(FAILURE_POLICIES)
    .default('fail')
    .describe('fail: the run ends. skip: it goes on without the output. Default fail.'),
  tool_approval: ApprovalSchema.exactOptional().describe('Who must approve each use of a tool that writes.'),
  approval: ApprovalSchema.exactOptional().describe('Who must approve the output before anything needs it.'),
  max_returns: whole(0, 10).default(3).describe('How often people may send it back. Default 3.'),
  action: ActionSchema.exactOptional().describe('What is done in the DAO when the output is approved.'),
});

const BudgetSchema = z
  .strictObject({
    tokens: whole(1, 1_000_000_000).exactOptional().describe('Most tokens, prompts and answers together.'),
    cost_usd: z.number().gt(0).max(1_000_000).exactOptional().describe('Most cost, in US dollars.'),
    time_s: whole(1, 30 * DAY_S)
      .exactOptional()
      .describe('Longest work, in seconds; waiting for people does not count.'),
  })
  .default({})
  .describe('What a run may use before somebody is asked whether it goes on.');

/** A crew as a file or the API says it, `config/crews/*.yml`: its form. The rest is looked at by `CrewCheck`. */
export const CrewSchema = z.strictObject({
  id: crewId.describe('What requests call it.'),
  name: text(100).describe('What people call it.'),
  description: text(2_000).describe('What it is good for.'),
  process: z
    .enum(PROCESSES)
    .default('sequential')
    .describe(
      'sequential: in the order of the file. parallel: whatever has its needs. hierarchical: as a manager says.',
    ),
  manager: crewId.exactOptional().describe('hierarchical: the agent who decides what comes next.'),
  inputs: DataSchema.default({ type: 'object' }).describe('Schema of what a run is given: an object.'),
  text_input: partName.exactOptional().describe('The input that holds the text of runs that are started by words.'),
  subject: partName.exactOptional().describe('The input that names whom a run is about; left out: whoever starts it.'),
  open_to_guests: z
    .boolean()
    .default(false)
    .describe('Whether somebody without agent.crew may start it about themselves. Default false.'),
  agents: named(AgentSchema, MOST_AGENTS, 'agent').describe('Who works, by id.'),
  tasks: named(TaskSchema, MOST_TASKS, 'task').describe('What is done, by id.'),
  result: z
    .record(partName, reference)
    .refine((parts) => Object.keys(parts).length > 0, 'expected at least one name with a reference')
    .refine((parts) => Object.keys(parts).length <= 50, 'expected at most 50 names')
    .meta({ minProperties: 1, maxProperties: 50 })
    .describe('Names of the result, each with the reference to its value.'),
  budget: BudgetSchema,
  limit_roles: roleNames
    .default(['admin'])
    .describe('Roles whose members decide whether a run goes on that has reached a limit. Default admin.'),
  max_handoffs: whole(1, 200)
    .exactOptional()
    .describe('hierarchical: how often the manager decides. Default three times for each task.'),
});

export type CrewFile = z.infer<typeof CrewSchema>;
export type CrewTask = CrewFile['tasks'][string];

/** How often a manager decides where the crew does not say: each task once, and twice more. */
export const usualHandoffs = (tasks: CrewFile['tasks']): number => 3 * Object.keys(tasks).length;
