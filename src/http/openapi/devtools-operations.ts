import type { ToolName } from '../../contracts/devtools.js';
import type { ErrorCode } from '../../errors/catalogue.js';
import { toolOutline } from '../../schemas/devtools.js';
import type { AnswerName } from './answers.js';
import type { OperationSpec } from './operation.js';

type Told = Pick<OperationSpec, 'summary' | 'description' | 'examples'> & {
  answer: AnswerName;
  refuses: readonly ErrorCode[];
};

const PATHS: readonly ErrorCode[] = ['PATH_DENIED', 'FILE_NOT_FOUND', 'NOT_A_FILE', 'NOT_A_FOLDER'];
const PROGRAMS: readonly ErrorCode[] = ['PATH_DENIED', 'FILE_NOT_FOUND', 'NOT_A_FOLDER', 'SANDBOX_UNAVAILABLE'];
const GIT: readonly ErrorCode[] = [...PROGRAMS, 'NOT_A_REPOSITORY', 'TOOL_FAILED', 'TOOL_MISSING'];

const LATER =
  'What takes longer than 25 seconds comes as 202 with a request_id: call getRequest with it until status is "completed".';

/** What the description says of each tool. */
const TOLD: Readonly<Record<ToolName, Told>> = {
  fs_read: {
    summary: 'Read a file of the workspace',
    description: 'Gives content and hash; a file that is no text comes as base64.',
    answer: 'FileContent',
    refuses: [...PATHS, 'FILE_TOO_LARGE'],
  },
  fs_write: {
    summary: 'Write a file of the workspace',
    description:
      'The file is replaced as a whole, or not at all. With expected_hash it is written only if nobody changed it.',
    answer: 'FileWritten',
    refuses: [...PATHS, 'FILE_TOO_LARGE', 'FILE_CHANGED', 'FILE_EXISTS'],
  },
  fs_list: {
    summary: 'List a folder of the workspace',
    answer: 'FileList',
    refuses: [...PATHS, 'TOOL_FAILED'],
  },
  fs_search: {
    summary: 'Search the files of the workspace',
    answer: 'FileMatches',
    refuses: [...PROGRAMS, 'TOOL_FAILED'],
  },
  fs_diff: {
    summary: 'Compare a file with another, or with a text',
    answer: 'FileDiff',
    refuses: [...PATHS, 'FILE_TOO_LARGE', 'TOOL_FAILED'],
  },
  fs_patch: {
    summary: 'Apply a unified diff to files of the workspace',
    description: 'All of it, or nothing if a part does not fit.',
    answer: 'FilePatched',
    refuses: [...PATHS, 'FILE_TOO_LARGE', 'FILE_CHANGED', 'FILE_EXISTS', 'PATCH_REJECTED'],
  },
  run_tests: {
    summary: 'Run the tests of a folder in the sandbox',
    description: `Gives how many passed and failed, and why each failed. Nothing that they write is kept. ${LATER}`,
    answer: 'TestRun',
    refuses: [...PROGRAMS, 'TOOL_FAILED', 'TOOL_MISSING', 'TOOL_TIMEOUT'],
  },
  git_status: { summary: 'Show what changed since the last commit', answer: 'GitStatus', refuses: GIT },
  git_diff: { summary: 'Show changes as a unified diff', answer: 'GitDiff', refuses: GIT },
  git_log: { summary: 'List commits, the newest first', answer: 'GitLog', refuses: GIT },
  notebook_execute: {
    summary: 'Execute a notebook in the sandbox',
    description: `Gives the outputs of each cell. The file in the workspace stays as it is. ${LATER}`,
    answer: 'NotebookRun',
    refuses: [...PROGRAMS, 'FILE_TOO_LARGE', 'NOT_A_FILE', 'TOOL_FAILED', 'TOOL_MISSING', 'TOOL_TIMEOUT'],
  },
};

/** What any request can meet. */
const ANY_REQUEST: readonly ErrorCode[] = [
  ...(['DAO_REQUIRED', 'DAO_NOT_FOUND', 'REQUEST_CANCELLED', 'IDEMPOTENCY_CONFLICT', 'RATE_LIMITED'] as const),
  ...(['BUDGET_EXHAUSTED', 'TEMPORAL_UNAVAILABLE', 'SHUTTING_DOWN', 'DEADLINE_EXCEEDED'] as const),
];

/** What a tool can refuse, whichever it is. */
export const TOOL_REFUSALS: readonly ErrorCode[] = [
  ...new Set<ErrorCode>([...Object.values(TOLD).flatMap(({ refuses }) => refuses), 'TOOL_TIMEOUT']),
];

/** The description of a tool's route. */
export function toolOperation(tool: ToolName): OperationSpec {
  const { answer, refuses, ...told } = TOLD[tool];
  const id = tool.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
  return {
    ...told,
    id,
    headers: ['Idempotency-Key', 'Prefer'],
    body: toolOutline(tool),
    answers: { 200: answer, 202: 'ToolRunning' },
    refuses: [...new Set([...refuses, 'TOOL_TIMEOUT' as const, ...ANY_REQUEST])],
  };
}
