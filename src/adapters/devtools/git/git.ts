import type {
  GitDiffParams,
  GitDiffResult,
  GitLogParams,
  GitLogResult,
  GitStatusResult,
  Sandbox,
  SandboxEnd,
} from '../../../contracts/devtools.js';
import { AppError } from '../../../errors/app-error.js';
import { commandOf, requireOwnEnd, startOf, type ToolRun } from '../tool-run.js';
import { LOG_FORMAT, parseDiff, parseLog, parseStatus } from './parse.js';
import { findRepository, type Repository } from './repository.js';

const MOST_ENTRIES = 2_000;
const DEFAULT_COMMITS = 20;
const MOST_COMMITS = 200;
const MOST_CONTEXT = 100;
/** Room for the counts of files, which stand before the patch. */
const COUNTS_BYTES = 1024 * 1024;

/**
 * State of the index and the files. Paths are relative to the workspace.
 * @throws AppError `NOT_A_REPOSITORY`, `TOOL_MISSING`, `TOOL_FAILED`, `TOOL_TIMEOUT`
 */
export async function gitStatus(sandbox: Sandbox, run: ToolRun): Promise<GitStatusResult> {
  const repository = await findRepository(sandbox, run);
  const options = ['--porcelain=v2', '-z', '--branch', '--no-ahead-behind', '--ignore-submodules=dirty'];
  const end = await git(sandbox, run, repository, ['status', ...options, '--', ...repository.paths]);
  const { branch, head, entries } = parseStatus(end.stdout, repository.top);
  return {
    branch,
    head,
    clean: entries.length === 0 && !end.stdoutTruncated,
    entries: entries.slice(0, MOST_ENTRIES),
    truncated: end.stdoutTruncated || entries.length > MOST_ENTRIES,
  };
}

/**
 * Differences between commits, the index and the files, as a patch whose paths are relative to the workspace.
 * @throws AppError as `gitStatus` does
 */
export async function gitDiff(sandbox: Sandbox, params: GitDiffParams, run: ToolRun): Promise<GitDiffResult> {
  const refs = refsOf(params);
  const repository = await findRepository(sandbox, run);
  const options = ['--numstat', '--patch', '-z', '--no-color', '--no-ext-diff', '--no-textconv'];
  const places = ['--no-relative', '--submodule=short', '--ignore-submodules=dirty', ...prefixes(repository.top)];
  const wanted = [`--unified=${Math.min(params.context ?? 3, MOST_CONTEXT)}`, ...(params.staged ? ['--cached'] : [])];
  const args = ['diff', ...options, ...places, ...wanted, '--end-of-options', ...refs, '--', ...repository.paths];
  const end = await git(sandbox, run, repository, args, run.limits.outputBytes + COUNTS_BYTES);
  const { diff, files } = parseDiff(end.stdout, repository.top);
  const told = startOf(diff, run.limits.outputBytes);
  return {
    diff: told,
    files: files.slice(0, MOST_ENTRIES),
    truncated: end.stdoutTruncated || told.length < diff.length || files.length > MOST_ENTRIES,
  };
}

/**
 * Commits that lead to a commit, the latest first; none where nothing was committed yet.
 * @throws AppError as `gitStatus` does
 */
export async function gitLog(sandbox: Sandbox, params: GitLogParams, run: ToolRun): Promise<GitLogResult> {
  const limit = Math.min(params.limit ?? DEFAULT_COMMITS, MOST_COMMITS);
  const from = params.from === undefined ? 'HEAD' : requireRef(params.from);
  const repository = await findRepository(sandbox, run);
  if (params.from === undefined && !(await hasCommits(sandbox, run, repository)))
    return { commits: [], truncated: false };
  const options = ['-z', `--format=tformat:${LOG_FORMAT}`, `--max-count=${limit + 1}`, '--no-show-signature'];
  const args = ['log', ...options, '--no-color', '--no-patch', '--end-of-options', from, '--', ...repository.paths];
  const end = await git(sandbox, run, repository, args);
  const commits = parseLog(end.stdout);
  return { commits: commits.slice(0, limit), truncated: end.stdoutTruncated || commits.length > limit };
}

async function hasCommits(sandbox: Sandbox, run: ToolRun, { env }: Repository): Promise<boolean> {
  const argv = ['git', 'rev-parse', '--quiet', '--verify', 'HEAD'];
  const end = await sandbox.run(commandOf(run, { argv, env, readOnly: true }), run.signal);
  requireOwnEnd('git', end, run.signal);
  return end.code === 0;
}

async function git(
  sandbox: Sandbox,
  run: ToolRun,
  { env }: Repository,
  args: readonly string[],
  outputBytes = run.limits.outputBytes,
): Promise<SandboxEnd> {
  const argv = ['git', '--no-pager', '--no-optional-locks', '--literal-pathspecs', ...args];
  const end = await sandbox.run(commandOf(run, { argv, env, readOnly: true, outputBytes }), run.signal);
  // Where it printed too much, what there is of it is told.
  if (end.endedBy === 'output') return { ...end, stdoutTruncated: true };
  requireOwnEnd('git', end, run.signal);
  if (end.code !== 0) throw new AppError('TOOL_FAILED', `git could not do that: ${complaintOf(end.output)}.`);
  return end;
}

/** git's own sentence. */
function complaintOf(output: string): string {
  const lines = output.split('\n').filter((line) => /^(fatal|error): /.test(line));
  return (lines[0] ?? 'it gave no reason').replace(/^(fatal|error): /, '').slice(0, 300);
}

const prefixes = (top: string): string[] => {
  const inside = top === '.' ? '' : `${top}/`;
  return [`--src-prefix=a/${inside}`, `--dst-prefix=b/${inside}`];
};

function refsOf({ from, to, staged }: GitDiffParams): string[] {
  if (to !== undefined && (from === undefined || staged)) {
    throw new AppError('TOOL_FAILED', 'A diff with "to" needs "from", and no "staged": two commits are compared then.');
  }
  return [from, to].filter((ref) => ref !== undefined).map(requireRef);
}

/** A name of one commit: no option, no range, no file. */
function requireRef(ref: string): string {
  if (/^-|\.\.|[\0-\x20:?*[\\\x7f]/.test(ref) || ref === '' || ref.length > 255) {
    throw new AppError('TOOL_FAILED', 'A commit is named by a branch, a tag or a hash, such as main or HEAD~2.');
  }
  return ref;
}
