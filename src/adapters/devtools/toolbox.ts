import type { ToolCaller, ToolLimits, ToolRequest, ToolResult } from '../../contracts/devtools.js';
import type { Workspace } from '../workspace/workspace.js';
import type { Workspaces } from '../workspace/workspaces.js';
import { Places } from './places.js';
import type { Programs } from './programs.js';
import type { ToolPlace } from './tool-run.js';

export interface ToolboxParts {
  workspaces: Workspaces;
  /** Programs, once it is known where they can run. */
  programs: () => Promise<Programs>;
  /** As the profile says at the moment. */
  limits: () => ToolLimits;
  /** Most runs of tests and notebooks at once. */
  atOnce: number;
}

/** Searches and questions to git that run at once: they take a moment, and do not wait behind tests. */
const QUICK_AT_ONCE = 4;

type ProgramRequest = Extract<
  ToolRequest,
  { tool: 'fs_search' | 'run_tests' | 'git_status' | 'git_diff' | 'git_log' | 'notebook_execute' }
>;

/** Every tool, by its name, in the workspace of a DAO. */
export class Toolbox {
  private readonly long: Places;
  private readonly quick = new Places(QUICK_AT_ONCE);

  constructor(private readonly parts: ToolboxParts) {
    this.long = new Places(parts.atOnce);
  }

  /**
   * Does what is asked.
   * @throws AppError of the tool; the signal's reason where it comes first
   */
  async run(daoId: string, request: ToolRequest, caller: ToolCaller): Promise<ToolResult> {
    caller.signal.throwIfAborted();
    const workspace = await this.parts.workspaces.of(daoId);
    const limits = this.parts.limits();
    const writing = { journal: caller.journal, onPlan: caller.plan, beforeWrite: caller.mayWrite };
    switch (request.tool) {
      case 'fs_read':
        return workspace.read(request.params, limits);
      case 'fs_write':
        return workspace.write(request.params, limits, writing);
      case 'fs_list':
        return workspace.list(request.params);
      case 'fs_diff':
        return workspace.diff(request.params, limits);
      case 'fs_patch':
        return workspace.patch(request.params, limits, writing);
      default:
        return this.placesOf(request).with(daoId, caller.signal, () => this.whole(workspace, request, caller));
    }
  }

  /** A program's result; half of one is none to whoever wanted it stopped. */
  private async whole(workspace: Workspace, request: ProgramRequest, caller: ToolCaller): Promise<ToolResult> {
    const result = await this.program(workspace, request, caller);
    if ('ended_by' in result && result.ended_by === 'cancelled') caller.signal.throwIfAborted();
    return result;
  }

  private placesOf({ tool }: ProgramRequest): Places {
    return tool === 'run_tests' || tool === 'notebook_execute' ? this.long : this.quick;
  }

  private async program(
    workspace: Workspace,
    request: ProgramRequest,
    { signal, onOutput }: ToolCaller,
  ): Promise<ToolResult> {
    const programs = await this.parts.programs();
    const limits = this.parts.limits();
    const at = (path = '.'): Promise<ToolPlace> => placeIn(workspace, path);
    switch (request.tool) {
      case 'fs_search':
        return programs.fs_search(await at(request.params.path), request.params, limits, signal);
      case 'git_status':
        return programs.git_status(await at(request.params.path), request.params, limits, signal);
      case 'git_diff':
        return programs.git_diff(await at(request.params.path), request.params, limits, signal);
      case 'git_log':
        return programs.git_log(await at(request.params.path), request.params, limits, signal);
      case 'run_tests':
        return programs.run_tests(await at(request.params.path), request.params, limits, signal, onOutput);
      case 'notebook_execute':
        return programs.notebook_execute(await at(), request.params, limits, signal, onOutput);
    }
  }
}

const placeIn = async (workspace: Workspace, path: string): Promise<ToolPlace> => ({
  workspace: workspace.folder,
  folder: await workspace.requireFolder(path),
});
