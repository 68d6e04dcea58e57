import { z } from 'zod';
import { TEST_FRAMEWORKS } from '../../contracts/devtools.js';

/** What the tools answer, for the description alone: the types are those of `src/contracts/devtools.ts`. */

const ok = z.literal(true);
const request_id = z.string().describe('Id of the request, for GET /requests/{id}.');
const answer = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.object({ ok, request_id, ...shape });
const hash = z.string().describe('SHA-256 of the file: send it as expected_hash when you write.');
const truncated = z.boolean().describe('Whether there is more than was given.');
const ended_by = z
  .enum(['exit', 'timeout', 'memory', 'processes', 'space', 'output', 'cancelled'])
  .describe('exit: it ended by itself. Else: what it had too much of.');
const output = z.string().describe('The end of what was printed.');

const written = z.object({ path: z.string(), hash: hash.nullable(), previous_hash: z.string().nullable() });
const match = z.object({
  path: z.string(),
  line: z.number(),
  column: z.number(),
  text: z.string(),
  before: z.array(z.string()).optional(),
  after: z.array(z.string()).optional(),
});
const test = z.object({
  name: z.string(),
  file: z.string().optional(),
  status: z.enum(['passed', 'failed', 'skipped']),
  ms: z.number().optional(),
  message: z.string().optional().describe('Why it failed.'),
});
const entry = z.object({
  path: z.string(),
  type: z.enum(['file', 'folder', 'link', 'other']),
  size: z.number().optional(),
  modified_at: z.string().optional(),
});
const commit = z.object({
  hash: z.string(),
  author: z.string(),
  date: z.string(),
  subject: z.string(),
  body: z.string().optional(),
});
const change = z.object({
  path: z.string(),
  index: z.string(),
  worktree: z.string(),
  renamed_from: z.string().optional(),
});
const cell = z.object({
  index: z.number(),
  outputs: z.array(
    z.object({
      type: z.enum(['stream', 'result', 'display', 'error']),
      text: z.string(),
      media: z.string().optional(),
    }),
  ),
});

export const TOOL_ANSWERS = {
  ToolRunning: answer({ status: z.string().describe('accepted or running: call getRequest for the result.') }),
  FileContent: answer({
    path: z.string(),
    content: z.string(),
    encoding: z.enum(['utf8', 'base64']),
    hash,
    size: z.number(),
    total_lines: z.number().optional(),
    truncated,
  }),
  FileWritten: answer({ ...written.shape, hash, size: z.number(), created: z.boolean() }),
  FileList: answer({ path: z.string(), entries: z.array(entry), truncated, cursor: z.string().optional() }),
  FileMatches: answer({ matches: z.array(match), truncated }),
  FileDiff: answer({ diff: z.string(), changed: z.boolean() }),
  FilePatched: answer({ files: z.array(written) }),
  TestRun: answer({
    framework: z.enum(TEST_FRAMEWORKS),
    passed: z.number(),
    failed: z.number(),
    skipped: z.number(),
    ms: z.number(),
    tests: z.array(test),
    truncated,
    exit_code: z.number().nullable(),
    ended_by,
    output,
  }),
  GitStatus: answer({
    branch: z.string().nullable(),
    head: z.string().nullable(),
    clean: z.boolean(),
    entries: z.array(change),
    truncated,
  }),
  GitDiff: answer({
    diff: z.string(),
    files: z.array(z.object({ path: z.string(), added: z.number().nullable(), removed: z.number().nullable() })),
    truncated,
  }),
  GitLog: answer({ commits: z.array(commit), truncated }),
  NotebookRun: answer({
    success: z.boolean().describe('Whether every cell ran without an error.'),
    cells: z.array(cell),
    notebook: z.looseObject({}).optional().describe('The executed notebook, as nbformat 4.'),
    ended_by,
    output,
  }),
};
