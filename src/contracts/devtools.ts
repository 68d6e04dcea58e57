/** Tools that work in the workspace of a DAO: names, parameters, results, limits. */

export const TOOLS = [
  'fs_read',
  'fs_write',
  'fs_list',
  'fs_search',
  'fs_diff',
  'fs_patch',
  'run_tests',
  'git_status',
  'git_diff',
  'git_log',
  'notebook_execute',
] as const;
export type ToolName = (typeof TOOLS)[number];

/** Tools that change files. All others leave a workspace as it is: what tests and notebooks write is thrown away. */
export const WRITING_TOOLS: readonly ToolName[] = ['fs_write', 'fs_patch'];

/** Tools that run programs, which may take minutes. */
export const PROGRAM_TOOLS: readonly ToolName[] = ['run_tests', 'notebook_execute'];

/** Paths are relative to the workspace, with `/` between names; `.` is the workspace itself. */
export interface ReadParams {
  path: string;
  /** First line that is wanted, from 1. */
  from_line?: number;
  /** How many lines; absent: all. */
  lines?: number;
}

export interface ReadResult {
  path: string;
  content: string;
  encoding: 'utf8' | 'base64';
  /** SHA-256 of the whole file, in hexadecimal. */
  hash: string;
  /** Of the whole file, in bytes. */
  size: number;
  /** Of a text: how many lines the whole file has. */
  total_lines?: number;
  /** Whether there is more after what was given. */
  truncated: boolean;
}

export interface WriteParams {
  path: string;
  content: string;
  encoding?: 'utf8' | 'base64';
  /** Hash that the file must have for this to be written; null: there must be none. Absent: whatever is there. */
  expected_hash?: string | null;
}

export interface WrittenFile {
  path: string;
  /** Null: the file is gone. */
  hash: string | null;
  /** Null: there was none. */
  previous_hash: string | null;
}

export interface WriteResult extends WrittenFile {
  hash: string;
  size: number;
  created: boolean;
}

export interface ListParams {
  path?: string;
  /** Levels of folders below the path: 1 for its own entries. Absent: 1, or all (20 at most) with a glob. */
  depth?: number;
  /** Glob that a path must match, such as `src/*.ts`; without a `/`, such as `*.ts`, its last name. */
  glob?: string;
  limit?: number;
  /** From the answer before: where to go on. */
  cursor?: string;
}

export interface ListedEntry {
  path: string;
  /** `link`: a symbolic link, which no tool follows. `other`: a device, socket or pipe, which no tool opens. */
  type: 'file' | 'folder' | 'link' | 'other';
  /** Of a file, in bytes. */
  size?: number;
  modified_at?: string;
}

export interface ListResult {
  path: string;
  entries: ListedEntry[];
  truncated: boolean;
  cursor?: string;
}

export interface SearchParams {
  pattern: string;
  /** Whether the pattern is a regular expression; else it is looked for as it stands. */
  regex?: boolean;
  case_sensitive?: boolean;
  path?: string;
  glob?: string;
  /** Lines before and after each match. */
  context?: number;
  limit?: number;
}

export interface SearchMatch {
  path: string;
  line: number;
  column: number;
  text: string;
  before?: string[];
  after?: string[];
}

export interface SearchResult {
  matches: SearchMatch[];
  truncated: boolean;
}

export interface DiffParams {
  path: string;
  /** What to compare with: another file, or a text. */
  other_path?: string;
  content?: string;
  context?: number;
}

export interface DiffResult {
  /** Unified diff from `path` to the other; empty where they are alike. */
  diff: string;
  changed: boolean;
  /** Whether the diff was cut off: then it is none to apply. */
  truncated: boolean;
}

export interface PatchParams {
  /** Unified diff, of one or several files. */
  patch: string;
  /** Hashes that files must have, by path. */
  expected_hashes?: Record<string, string>;
}

export interface PatchResult {
  files: WrittenFile[];
}

export const TEST_FRAMEWORKS = ['jest', 'vitest', 'node', 'pytest', 'go', 'cargo'] as const;
export type TestFramework = (typeof TEST_FRAMEWORKS)[number];

export interface RunTestsParams {
  path?: string;
  /** Absent: what the files of the folder say. */
  framework?: TestFramework;
  /** Names of tests to run, as the framework understands it. */
  filter?: string;
  timeout_s?: number;
}

export interface TestCase {
  name: string;
  file?: string;
  status: 'passed' | 'failed' | 'skipped';
  ms?: number;
  /** Why it failed. */
  message?: string;
}

/** How a program in the sandbox ended: by itself, or stopped for what it used. */
export type ProgramEnd = 'exit' | 'timeout' | 'memory' | 'processes' | 'space' | 'output' | 'cancelled';

export interface RunTestsResult {
  framework: TestFramework;
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
  /** Failed ones first; `truncated` if there were more. */
  tests: TestCase[];
  truncated: boolean;
  exit_code: number | null;
  ended_by: ProgramEnd;
  /** The end of what was printed. */
  output: string;
}

export interface GitStatusParams {
  path?: string;
}

export interface GitStatusResult {
  /** Null: no branch is checked out. */
  branch: string | null;
  /** Null: nothing was committed yet. */
  head: string | null;
  clean: boolean;
  /** `index` and `worktree`: git's letter, `.` for unchanged, `?` for untracked. */
  entries: { path: string; index: string; worktree: string; renamed_from?: string }[];
  truncated: boolean;
}

export interface GitDiffParams {
  /** Folder of the repository. */
  path?: string;
  /** What is staged, in place of what is not. */
  staged?: boolean;
  from?: string;
  to?: string;
  context?: number;
}

export interface GitDiffResult {
  diff: string;
  /** Null for a binary file. */
  files: { path: string; added: number | null; removed: number | null }[];
  truncated: boolean;
}

export interface GitLogParams {
  path?: string;
  from?: string;
  limit?: number;
}

export interface GitLogResult {
  commits: { hash: string; author: string; date: string; subject: string; body?: string }[];
  truncated: boolean;
}

export interface NotebookParams {
  /** A notebook of the workspace, or the notebook itself as nbformat 4. */
  path?: string;
  notebook?: Record<string, unknown>;
  timeout_s?: number;
}

export interface NotebookOutput {
  type: 'stream' | 'result' | 'display' | 'error';
  text: string;
  /** Kind of a picture or other data that is no text: it is in the executed notebook. */
  media?: string;
}

export interface NotebookResult {
  /** Whether every cell ran without an error. */
  success: boolean;
  cells: { index: number; outputs: NotebookOutput[] }[];
  /** The executed notebook as nbformat 4; absent where it is too large. The file in the workspace stays as it is. */
  notebook?: Record<string, unknown>;
  ended_by: ProgramEnd;
  output: string;
}

export interface ToolParams {
  fs_read: ReadParams;
  fs_write: WriteParams;
  fs_list: ListParams;
  fs_search: SearchParams;
  fs_diff: DiffParams;
  fs_patch: PatchParams;
  run_tests: RunTestsParams;
  git_status: GitStatusParams;
  git_diff: GitDiffParams;
  git_log: GitLogParams;
  notebook_execute: NotebookParams;
}

export interface ToolResults {
  fs_read: ReadResult;
  fs_write: WriteResult;
  fs_list: ListResult;
  fs_search: SearchResult;
  fs_diff: DiffResult;
  fs_patch: PatchResult;
  run_tests: RunTestsResult;
  git_status: GitStatusResult;
  git_diff: GitDiffResult;
  git_log: GitLogResult;
  notebook_execute: NotebookResult;
}

export type ToolResult = ToolResults[ToolName];

/** A tool with its parameters. */
export type ToolRequest = { [Name in ToolName]: { tool: Name; params: ToolParams[Name] } }[ToolName];

/** What a writing tool is about to do to files, kept before the first of them changes. Hashes; null: no such file. */
export interface WriteJournal {
  files: { path: string; before: string | null; after: string | null }[];
}

/** What a program prints while it runs. */
export interface ToolOutput {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** What tools may use. Sizes in bytes, times in milliseconds. */
export interface ToolLimits {
  /** Largest file that is read or written. */
  fileBytes: number;
  /** Most text of an answer: a file's content, a diff, what a program printed. */
  outputBytes: number;
  /** Longest run of tests or a notebook. */
  timeoutMs: number;
  /** Of all processes of a run together, with what they write. */
  memoryBytes: number;
  /** Most processes and threads of a run. */
  processes: number;
  /** Most that a run may write, all of which is thrown away. */
  scratchBytes: number;
}

/**
 * Where programs run. `bubblewrap`: without network, in a file system of their own. `process`: an ordinary process with
 * limits, which sees what our user sees: weaker, and only if it is switched on. `off`: no programs at all.
 */
export const SANDBOXES = ['bubblewrap', 'process', 'off'] as const;
export type SandboxKind = (typeof SANDBOXES)[number];

/** A folder of the host that a program may read, under another path in the sandbox or under its own. */
export interface SandboxMount {
  source: string;
  target: string;
  /** Whether it may be written, into a layer that is thrown away. Only for a folder, at the top of the sandbox. */
  writable?: true;
}

/** A program for the sandbox. */
export interface SandboxCommand {
  /** Program and arguments; the program by a path in the sandbox, or by a name on its PATH. */
  argv: readonly string[];
  /** Folder of the host that is shown as `/workspace`. What is written there is thrown away. */
  workspace: string;
  /**
   * The workspace as it is, without a layer to write to, which is quicker. For programs that only read, and that are none
   * of the workspace: sockets and pipes that lie in it are the host's.
   */
  readOnly?: true;
  /** Working folder, relative to the workspace. */
  folder: string;
  env?: Readonly<Record<string, string>>;
  mounts?: readonly SandboxMount[];
  /** Folders that come first on PATH; paths in the sandbox. */
  path?: readonly string[];
  stdin?: string;
  /** A file in the sandbox that is handed over when the program has ended. */
  report?: string;
  limits: Pick<ToolLimits, 'outputBytes' | 'timeoutMs' | 'memoryBytes' | 'processes' | 'scratchBytes'>;
}

export interface SandboxEnd {
  endedBy: ProgramEnd;
  /** Null where it was killed. */
  code: number | null;
  /** What it printed, both streams in order, the last of it where it is too long. */
  output: string;
  /** Standard output alone, from the start; cut at `outputBytes`. */
  stdout: string;
  stdoutTruncated: boolean;
  /** Content of the report, if there was one; cut at 16 MiB. */
  report?: string;
  ms: number;
}

/** Runs programs that nobody vouches for. */
export interface Sandbox {
  readonly kind: SandboxKind;
  /**
   * Runs a program to its end, or to that of its limits or of the signal; then every process of it is gone.
   * @throws AppError `SANDBOX_UNAVAILABLE`
   */
  run(command: SandboxCommand, signal: AbortSignal, onOutput?: (output: ToolOutput) => void): Promise<SandboxEnd>;
}

/** Whoever has a tool run, as far as the tool has to ask or tell. */
export interface ToolCaller {
  /** Ends it: nothing of it runs any more when the tool has rejected with the signal's reason. */
  signal: AbortSignal;
  readonly onOutput: (output: ToolOutput) => void;
  /** What an earlier run was about to write; null: nothing. */
  journal: WriteJournal | null;
  /** Keeps what is about to be written. @throws if this run may not write any more */
  readonly plan: (journal: WriteJournal) => Promise<void>;
  /** Asked directly before each change. @throws if this run may not write any more */
  readonly mayWrite: () => Promise<void>;
}
