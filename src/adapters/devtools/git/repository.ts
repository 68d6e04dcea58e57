import { posix } from 'node:path';
import type { Sandbox } from '../../../contracts/devtools.js';
import { AppError } from '../../../errors/app-error.js';
import { commandOf, requireOwnEnd, type ToolRun } from '../tool-run.js';
import { gitEnvironment } from './environment.js';

const LOOK_TIMEOUT_MS = 20_000;

/** Where we are, which repository that is, and the filters that its settings name. */
const LOOK = [
  'pwd -P',
  String.raw`printf '\0'`,
  'git rev-parse --path-format=absolute --show-toplevel --git-dir --git-common-dir || exit 3',
  String.raw`printf '\0'`,
  String.raw`git config -z --name-only --get-regexp '^filter\.'`,
  'exit 0',
].join('\n');

/** A repository of the workspace, as git is to see it. */
export interface Repository {
  /** Its top folder, relative to the workspace; `.` for the workspace itself. */
  top: string;
  /** What follows the options of a command: the folder, where it is not the whole repository. */
  paths: readonly string[];
  /** Variables for git that leave none of the programs of its settings to run. */
  env: Readonly<Record<string, string>>;
}

/**
 * Looks at the repository that a folder lies in.
 * @throws AppError `NOT_A_REPOSITORY` where there is none, or where it lies outside the workspace
 */
export async function findRepository(sandbox: Sandbox, run: ToolRun): Promise<Repository> {
  const command = commandOf(run, {
    argv: ['/bin/sh', '-c', LOOK],
    env: gitEnvironment([]),
    readOnly: true,
    timeoutMs: LOOK_TIMEOUT_MS,
  });
  const end = await sandbox.run(command, run.signal);
  requireOwnEnd('git', end, run.signal);
  if (end.code === 127 || end.output.includes('git: not found')) {
    throw new AppError('TOOL_MISSING', 'git was not found on this machine: install git.');
  }
  const [here = '', places = '', ...filters] = end.stdout.split('\0');
  if (end.code !== 0) throw new AppError('NOT_A_REPOSITORY');
  return repositoryOf(run, here.trim(), places.trim().split('\n'), filters);
}

function repositoryOf(run: ToolRun, here: string, places: string[], filters: string[]): Repository {
  const { folder } = run.place;
  const workspace = folder === '.' ? here : here.slice(0, -folder.length - 1);
  const outside = places.some((place) => place !== workspace && !place.startsWith(`${workspace}/`));
  const [top] = places;
  if (outside || top === undefined || (folder !== '.' && !here.endsWith(`/${folder}`))) {
    throw new AppError('NOT_A_REPOSITORY', 'The repository of this folder does not lie in the workspace.');
  }
  const relative = posix.relative(workspace, top) || '.';
  return { top: relative, paths: relative === folder ? [] : ['.'], env: gitEnvironment(filterNames(filters)) };
}

/** `filter.lfs.clean` is of the filter `lfs`. */
function filterNames(keys: readonly string[]): string[] {
  const names = keys.map((key) => key.replace(/^filter\./, '').replace(/\.[^.]*$/, ''));
  return [...new Set(names.filter((name) => name !== ''))];
}
