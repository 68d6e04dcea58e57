import { posix } from 'node:path';
import type { NotebookParams, NotebookResult, Sandbox, SandboxEnd } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { pythonFile, type PythonKit } from './python-kit.js';
import { parseNotebookReport } from './reports/notebook.js';
import { commandOf, requireOwnEnd, type ToolRun } from './tool-run.js';
import type { Toolchains } from './toolchains.js';

const REPORT = '/tmp/dagi-notebook-report';
const DRIVER = pythonFile('notebook-driver.py');
/** What the driver keeps of a run's time, so that it can still tell what the cells gave. */
const CLOSING_MS = 2_000;
const MOST_NOTEBOOK_BYTES = 4 * 1024 * 1024;

/**
 * Executes a notebook, cell by cell, to its end; cells with errors are a result. Python and ipykernel are ours, whatever
 * kernel the notebook names. A path is relative to the workspace and is read in the sandbox.
 * @throws AppError `TOOL_MISSING`, `TOOL_FAILED` for what is no notebook
 */
export async function executeNotebook(
  sandbox: Sandbox,
  { toolchains, notebookKit }: { toolchains: Toolchains; notebookKit: PythonKit },
  params: NotebookParams,
  run: ToolRun,
): Promise<NotebookResult> {
  const python = await toolchains.python();
  const kit = await notebookKit.obtain(python, run.signal);
  const timeoutMs = Math.min((params.timeout_s ?? Infinity) * 1_000, run.limits.timeoutMs);
  const seconds = Math.max(timeoutMs - CLOSING_MS, timeoutMs / 2) / 1_000;
  const command = commandOf(run, {
    argv: [python.executable, DRIVER, sourceOf(params, run), REPORT, String(seconds)],
    mounts: [...python.mounts, kit.mount, { source: DRIVER, target: DRIVER }],
    path: python.path,
    env: { ...python.env, ...kit.env },
    ...(params.notebook !== undefined && { stdin: JSON.stringify(params.notebook) }),
    report: REPORT,
    timeoutMs,
  });
  const end = await sandbox.run(command, run.signal, run.onOutput);
  return resultOf(end, params, run);
}

/** The notebook's file from the working folder; `-` for one that is handed over. */
function sourceOf({ path }: NotebookParams, { place }: ToolRun): string {
  return path === undefined ? '-' : `./${posix.relative(posix.join('/', place.folder), posix.join('/', path))}`;
}

function resultOf(end: SandboxEnd, params: NotebookParams, run: ToolRun): NotebookResult {
  const report = parseNotebookReport(end.report, run.limits.outputBytes);
  if (!report) return resultWithoutReport(end, run);
  if (report.problem !== undefined) {
    const which = params.path ?? 'The notebook';
    throw new AppError('TOOL_FAILED', `${which} could not be read as a notebook (${report.problem}).`);
  }
  const endedBy = end.endedBy === 'exit' ? report.endedBy : end.endedBy;
  const fits = report.bytes <= Math.min(MOST_NOTEBOOK_BYTES, run.limits.fileBytes);
  return {
    success: report.success && endedBy === 'exit',
    cells: report.cells,
    ...(fits && report.notebook && { notebook: report.notebook }),
    ended_by: endedBy,
    output: end.output,
  };
}

function resultWithoutReport(end: SandboxEnd, run: ToolRun): NotebookResult {
  if (end.endedBy === 'exit') {
    throw new AppError('TOOL_FAILED', `The notebook could not be executed: ${lastLine(end.output)}.`);
  }
  if (end.endedBy === 'cancelled') requireOwnEnd('The notebook', end, run.signal);
  return { success: false, cells: [], ended_by: end.endedBy, output: end.output };
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1)?.slice(0, 300) || 'it gave no reason';
