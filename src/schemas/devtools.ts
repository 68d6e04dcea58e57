import { z } from 'zod';
import { TEST_FRAMEWORKS, type ToolName, type ToolParams, type ToolRequest } from '../contracts/devtools.js';
import type { RouteSubmission } from '../contracts/request.js';
import { storable } from '../contracts/text.js';
import { ActingQuerySchema, daoNamed, id, text } from './common.js';

/** Longest run that a caller may ask for, in seconds; the profile may allow less. */
const LONGEST_RUN_S = 600;

const NOT_TEXT = 'holds what is no text (U+0000, or half of a surrogate pair): send it with encoding base64';

const path = text
  .pipe(z.string().min(1).max(4_096))
  .meta({ description: 'Relative to the workspace, with / between names.', example: 'src/index.js' });
const folder = path.meta({ description: 'A folder of the workspace; left out: the workspace itself.', example: 'src' });
const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 as 64 hexadecimal digits, as fs_read gives it')
  .meta({ description: 'SHA-256 of a file, as fs_read gives it.' });
const glob = text.pipe(z.string().min(1).max(256)).meta({ description: 'Which files, such as src/**/*.ts.' });
const count = (most: number) => z.number().int().min(1).max(most);
const timeout = count(LONGEST_RUN_S).meta({ description: 'Longest time, in seconds; the profile may allow less.' });
const ref = text
  .pipe(z.string().regex(/^[^-\s\0][^\s\0]{0,254}$/, 'expected a branch, tag or hash'))
  .meta({ description: 'A branch, tag or hash.', example: 'main' });
const base64 = z.base64({ error: 'expected base64' });

const WriteSchema = z
  .strictObject({
    path,
    content: z.string().meta({ description: 'The whole new content of the file.', example: 'Hello\n' }),
    encoding: z
      .enum(['utf8', 'base64'])
      .exactOptional()
      .meta({ description: 'How content is written; utf8 if left out.' }),
    expected_hash: hash.nullable().exactOptional().meta({
      description: 'The file is written only if it is still this one (from fs_read); null: only if there is none.',
    }),
  })
  .superRefine(({ content, encoding }, context) => {
    const refuse = (message: string): void => {
      context.addIssue({ code: 'custom', path: ['content'], message });
    };
    if (encoding === 'base64' ? !base64.safeParse(content).success : storable(content) !== content) {
      refuse(encoding === 'base64' ? 'expected base64' : NOT_TEXT);
    }
  });

const DiffSchema = z
  .strictObject({
    path,
    other_path: path.exactOptional().meta({ description: 'The file to compare with.' }),
    content: z.string().exactOptional().meta({ description: 'The text to compare with, in place of a file.' }),
    context: z.number().int().min(0).max(100).exactOptional().meta({ description: 'Lines around each change.' }),
  })
  .refine((params) => (params.other_path === undefined) !== (params.content === undefined), {
    path: ['other_path'],
    message: 'expected one of other_path and content',
  });

const NotebookSchema = z
  .strictObject({
    path: path.exactOptional().meta({ description: 'A notebook of the workspace.', example: 'harvest.ipynb' }),
    notebook: z.looseObject({}).exactOptional().meta({ description: 'The notebook itself, as nbformat 4.' }),
    timeout_s: timeout.exactOptional(),
  })
  .refine((params) => (params.path === undefined) !== (params.notebook === undefined), {
    path: ['path'],
    message: 'expected one of path and notebook',
  });

/** Parameters of each tool, as callers send them. */
export const TOOL_PARAMS = {
  fs_read: z.strictObject({
    path,
    from_line: count(10_000_000).exactOptional().meta({ description: 'First line that is wanted, from 1.' }),
    lines: count(1_000_000).exactOptional().meta({ description: 'How many lines.' }),
  }),
  fs_write: WriteSchema,
  fs_list: z.strictObject({
    path: folder.exactOptional(),
    depth: count(20)
      .exactOptional()
      .meta({ description: 'Levels of folders; left out: 1, its own entries, or all where there is a glob.' }),
    glob: glob.exactOptional(),
    limit: count(5_000).exactOptional().meta({ description: 'Most entries; 500 if left out.' }),
    cursor: text.pipe(z.string().max(8_192)).exactOptional().meta({ description: 'From the answer before, to go on.' }),
  }),
  fs_search: z.strictObject({
    pattern: text.pipe(z.string().min(1).max(1_000)).meta({ description: 'What is looked for.', example: 'TODO' }),
    regex: z.boolean().exactOptional().meta({ description: 'Whether the pattern is a regular expression.' }),
    case_sensitive: z.boolean().exactOptional().meta({
      description: 'Left out: capitals count if the pattern has one.',
    }),
    path: folder.exactOptional(),
    glob: glob.exactOptional(),
    context: z
      .number()
      .int()
      .min(0)
      .max(10)
      .exactOptional()
      .meta({ description: 'Lines before and after each match.' }),
    limit: count(2_000).exactOptional().meta({ description: 'Most matches; 200 if left out.' }),
  }),
  fs_diff: DiffSchema,
  fs_patch: z.strictObject({
    patch: text.pipe(z.string().min(1)).meta({ description: 'A unified diff, of one file or several.' }),
    expected_hashes: z
      .record(path, hash)
      .exactOptional()
      .meta({ description: 'Hashes that files must have, by path.' }),
  }),
  run_tests: z.strictObject({
    path: folder.exactOptional(),
    framework: z
      .enum(TEST_FRAMEWORKS)
      .exactOptional()
      .meta({ description: 'Left out: what the files of the folder say.' }),
    filter: text
      .pipe(z.string().min(1).max(500))
      .exactOptional()
      .meta({ description: 'Names of tests, as the framework understands it.' }),
    timeout_s: timeout.exactOptional(),
  }),
  git_status: z.strictObject({ path: folder.exactOptional() }),
  git_diff: z.strictObject({
    path: folder.exactOptional(),
    staged: z.boolean().exactOptional().meta({ description: 'What is staged, in place of what is not.' }),
    from: ref.exactOptional(),
    to: ref.exactOptional(),
    context: z.number().int().min(0).max(100).exactOptional().meta({ description: 'Lines around each change.' }),
  }),
  git_log: z.strictObject({
    path: folder.exactOptional(),
    from: ref.exactOptional(),
    limit: count(200).exactOptional().meta({ description: 'Most commits; 20 if left out.' }),
  }),
  notebook_execute: NotebookSchema,
} satisfies { [Name in ToolName]: z.ZodType<ToolParams[Name]> };

/**
 * The parameters of a tool, checked.
 * @returns what is wrong with them, by their names, where they do not fit
 */
export function toolRequest(tool: ToolName, params: unknown): ToolRequest | z.core.$ZodIssue[] {
  const schema: z.ZodType = TOOL_PARAMS[tool];
  const parsed = schema.safeParse(params);
  return parsed.success ? ({ tool, params: parsed.data } as ToolRequest) : parsed.error.issues;
}

const acting = { dao_id: daoNamed.optional(), user_id: ActingQuerySchema.shape.user_id };

/** Body of `POST /devtools/<tool>`: the tool's parameters, beside who acts where. */
export const toolBody = (tool: ToolName): z.ZodType<RouteSubmission> =>
  z.looseObject({ dao_id: id.optional(), user_id: id.optional() }).transform((body, context): RouteSubmission => {
    const { dao_id: daoId, user_id: userId, ...params } = body;
    const request = toolRequest(tool, params);
    if (!Array.isArray(request)) return { ...NOTHING_ELSE, daoId, userId, metadata: { tool }, tool: request };
    for (const { path: at, message } of request) context.addIssue({ code: 'custom', path: [...at], message });
    return z.NEVER;
  });

const NOTHING_ELSE = {
  prompt: '',
  mode: 'devtools',
  agent: undefined,
  sessionId: undefined,
  source: undefined,
} as const;

/** The same for the API's description. */
export const toolOutline = (tool: ToolName): z.ZodType => {
  const schema: z.ZodObject = TOOL_PARAMS[tool];
  return schema.safeExtend(acting);
};
