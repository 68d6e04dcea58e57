import { availableParallelism } from 'node:os';
import type { Sandbox, SandboxCommand, SearchMatch, SearchParams, SearchResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { RipgrepReport } from './reports/ripgrep.js';
import { commandOf, requireOwnEnd, type ToolRun } from './tool-run.js';
import type { Toolchains } from './toolchains.js';

const DEFAULT_LIMIT = 200;
const MOST = 2_000;
const MOST_CONTEXT = 10;
/** The report is read while it is written; what is kept of it is for ripgrep's complaints. */
const KEPT_BYTES = 64 * 1_024;
const NOTHING_FOUND = 1;

/**
 * Looks for a text, or a regular expression, in the files of a folder. Hidden and ignored files are looked at, those of
 * `.git`, binary and large ones are not. ripgrep is stopped as soon as it has found too much, and asked again in order.
 * @throws AppError `TOOL_FAILED` for a pattern that is none, with ripgrep's own sentence; `TOOL_TIMEOUT`
 */
export async function search(
  sandbox: Sandbox,
  toolchains: Toolchains,
  params: SearchParams,
  run: ToolRun,
): Promise<SearchResult> {
  const ripgrep = await toolchains.ripgrep();
  const limit = Math.min(params.limit ?? DEFAULT_LIMIT, MOST);
  const context = Math.min(params.context ?? 0, MOST_CONTEXT);
  const ask = (order: readonly string[]): Promise<SearchResult> => {
    const argv = [
      ripgrep.executable,
      ...order,
      `--max-count=${limit + 1}`,
      ...searchArguments(params, run.limits.fileBytes),
    ];
    const report = new RipgrepReport(run.place.folder, limit, context, run.limits.outputBytes);
    return read(sandbox, run, report, { argv, mounts: ripgrep.mounts });
  };
  // In order it is one thread that looks. Only where there is too much does the order say what is told.
  const all = await ask(SEVERAL_THREADS);
  return all.truncated ? ask(IN_ORDER) : { ...all, matches: all.matches.toSorted(byPlace) };
}

/** What they save ends where the kernel's part begins. */
const MOST_THREADS = 4;
const SEVERAL_THREADS = [`--threads=${Math.min(MOST_THREADS, availableParallelism())}`];
const IN_ORDER = ['--sort=path'];

/** In the order of `--sort=path`: by one name after the other. */
function byPlace(one: SearchMatch, other: SearchMatch): number {
  const [left, right] = [one, other].map(({ path }) => Buffer.from(path.replaceAll('/', '\0'))) as [Buffer, Buffer];
  return Buffer.compare(left, right) || one.line - other.line;
}

async function read(
  sandbox: Sandbox,
  run: ToolRun,
  report: RipgrepReport,
  parts: Pick<SandboxCommand, 'argv' | 'mounts'>,
): Promise<SearchResult> {
  const enough = new AbortController();
  const command = commandOf(run, { ...parts, readOnly: true, outputBytes: KEPT_BYTES });
  const end = await sandbox.run(command, AbortSignal.any([run.signal, enough.signal]), ({ stream, text }) => {
    if (stream === 'stdout' && report.add(text)) enough.abort();
  });
  run.signal.throwIfAborted();
  const stopped = report.full || end.endedBy === 'output';
  if (!stopped) requireOwnEnd('The search', end, run.signal);
  if (!stopped && end.code !== 0 && end.code !== NOTHING_FOUND && report.empty) throw badSearch(end.output);
  return report.result(stopped);
}

function searchArguments(params: SearchParams, fileBytes: number): string[] {
  const caseFlag = { true: '--case-sensitive', false: '--ignore-case', undefined: '--smart-case' };
  return [
    ...['--json', '--no-config', '--no-follow', '--hidden', '--no-ignore', '--no-messages'],
    ...[`--max-filesize=${fileBytes}`, caseFlag[String(params.case_sensitive) as keyof typeof caseFlag]],
    ...(params.regex ? [] : ['--fixed-strings']),
    ...(params.context ? [`--context=${Math.min(params.context, MOST_CONTEXT)}`] : []),
    ...(params.glob === undefined ? [] : [`--glob=${params.glob}`]),
    // Last, for of two globs that match the later one counts.
    '--glob=!.git',
    ...['--', params.pattern, './'],
  ];
}

/** ripgrep's own words, without its name and the drawing of the place. */
function badSearch(output: string): AppError {
  const lines = output.split('\n').map((line) => line.trim());
  const own = lines.findLast((line) => line.startsWith('error:')) ?? lines.find((line) => line.startsWith('rg:'));
  const why = (own ?? lines.findLast(Boolean))?.replace(/^(rg|error):\s*/, '') ?? 'ripgrep gave no reason';
  return new AppError('TOOL_FAILED', `The search is not possible: ${why.slice(0, 300)}.`);
}
