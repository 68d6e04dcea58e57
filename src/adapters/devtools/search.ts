import type { Sandbox, SearchParams, SearchResult } from '../../contracts/devtools.js';
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
 * `.git`, binary and large ones are not. ripgrep is stopped as soon as it has found enough.
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
  const report = new RipgrepReport(run.place.folder, limit, context, run.limits.outputBytes);
  const enough = new AbortController();
  const command = commandOf(run, {
    argv: [ripgrep.executable, ...searchArguments(params, run.limits.fileBytes)],
    mounts: ripgrep.mounts,
    outputBytes: KEPT_BYTES,
  });
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
    ...['--json', '--no-config', '--no-follow', '--hidden', '--no-ignore', '--no-messages', '--sort=path'],
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
