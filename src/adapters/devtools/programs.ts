import type { Sandbox, ToolLimits, ToolOutput, ToolParams, ToolResults } from '../../contracts/devtools.js';
import type { SupplyReporter } from '../supply/reporter.js';
import { GoCache } from './go-cache.js';
import { gitDiff, gitLog, gitStatus } from './git/git.js';
import { executeNotebook } from './notebook.js';
import { PythonKit } from './python-kit.js';
import { runTests } from './run-tests.js';
import { search } from './search.js';
import type { ToolPlace } from './tool-run.js';
import type { Toolchains } from './toolchains.js';

export interface ProgramsOptions {
  /** Folder for what is obtained: Python packages for notebooks, and pytest. */
  cache: string;
  reporter: SupplyReporter;
}

type ProgramName = 'fs_search' | 'run_tests' | 'git_status' | 'git_diff' | 'git_log' | 'notebook_execute';

/** A tool at a place. The signal ends it; nothing of it runs any more when its promise is settled. */
type Tool<Name extends ProgramName> = (
  place: ToolPlace,
  params: ToolParams[Name],
  limits: ToolLimits,
  signal: AbortSignal,
  onOutput?: (output: ToolOutput) => void,
) => Promise<ToolResults[Name]>;

export type ProgramTools = { [Name in ProgramName]: Tool<Name> };

/**
 * The tools that run programs, by their names. The folder of a place must be known to be one of the workspace. All of
 * them throw AppError `SANDBOX_UNAVAILABLE` where no programs are run, and what each says itself.
 */
export class Programs implements ProgramTools {
  private readonly parts: { toolchains: Toolchains; notebookKit: PythonKit; pytestKit: PythonKit; goCache: GoCache };

  constructor(
    private readonly sandbox: Sandbox,
    toolchains: Toolchains,
    options: ProgramsOptions,
  ) {
    const kit = (name: string, title: string): PythonKit =>
      new PythonKit({ name, title, requirements: `${name}-requirements.txt`, ...options });
    this.parts = {
      toolchains,
      notebookKit: kit('notebook', 'Python kernel for notebooks'),
      pytestKit: kit('pytest', 'pytest'),
      goCache: new GoCache(options),
    };
  }

  /** The end of what is made for later runs, if anything is. */
  settled(): Promise<void> {
    return this.parts.goCache.settled();
  }

  readonly fs_search: Tool<'fs_search'> = (place, params, limits, signal) =>
    search(this.sandbox, this.parts.toolchains, params, { place, limits, signal });

  readonly run_tests: Tool<'run_tests'> = (place, params, limits, signal, onOutput) =>
    runTests(this.sandbox, this.parts, params, { place, limits, signal, onOutput });

  readonly git_status: Tool<'git_status'> = (place, _params, limits, signal) =>
    gitStatus(this.sandbox, { place, limits, signal });

  readonly git_diff: Tool<'git_diff'> = (place, params, limits, signal) =>
    gitDiff(this.sandbox, params, { place, limits, signal });

  readonly git_log: Tool<'git_log'> = (place, params, limits, signal) =>
    gitLog(this.sandbox, params, { place, limits, signal });

  readonly notebook_execute: Tool<'notebook_execute'> = (place, params, limits, signal, onOutput) =>
    executeNotebook(this.sandbox, this.parts, params, { place, limits, signal, onOutput });
}
