import { join, resolve } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Env } from '../config/env.js';
import type { LoadedConfig } from '../config/loader.js';
import { packagePath } from '../config/paths.js';
import { Programs } from './adapters/devtools/programs.js';
import { Toolbox } from './adapters/devtools/toolbox.js';
import { Toolchains } from './adapters/devtools/toolchains.js';
import { openSandbox } from './adapters/sandbox/open-sandbox.js';
import type { DescribedSandbox } from './adapters/sandbox/description.js';
import { silentReporter } from './adapters/supply/reporter.js';
import { Workspaces } from './adapters/workspace/workspaces.js';
import type { ToolLimits } from './contracts/devtools.js';

/** A sandbox that could not be opened is tried again after so long: what it lacked may be there by then. */
const TRY_AGAIN_MS = 60_000;

/** The tools of a process. */
export interface Devtools {
  toolbox: Toolbox;
  /** Opens the sandbox, so that the first program need not wait for it; says in the log what it is. */
  warmUp(): Promise<void>;
}

type DevtoolsProfile = LoadedConfig['profile']['devtools'];

/** The tools of a process. The sandbox is opened when it is first wanted. */
export function devtoolsOf(env: Env, log: Logger, running: () => LoadedConfig): Devtools {
  const profile = (): DevtoolsProfile => running().profile.devtools;
  const sandbox = new LazySandbox(() => sandboxOf(env, running()), log);
  const { workspaces, at_once: atOnce } = profile();
  const toolchains = new Toolchains();
  const options = { cache: env.cache, reporter: silentReporter };
  // One for all calls: what it obtains is obtained once.
  const programs = new LRUCache<DescribedSandbox, Programs>({
    max: 1,
    memoMethod: (opened) => new Programs(opened, toolchains, options),
  });
  const toolbox = new Toolbox({
    workspaces: new Workspaces(resolve(env.home, workspaces ?? 'workspaces')),
    programs: async () => programs.memo(await sandbox.get()),
    limits: () => limitsOf(profile()),
    atOnce,
  });
  return { toolbox, warmUp: () => sandbox.get().then(() => undefined) };
}

/** The sandbox of a profile. One that runs no program says why. */
export const sandboxOf = (env: Env, { profile }: LoadedConfig): Promise<DescribedSandbox> =>
  openSandbox({
    kind: profile.devtools.sandbox,
    cache: env.cache,
    reporter: silentReporter,
    hidden: keptBy(env),
    production: profile.environment === 'production',
  });

/** Where keys and data of the product may lie. A working folder may hold a `.env`. */
function keptBy(env: Env): string[] {
  const here = process.cwd();
  return [env.home, env.cache, packagePath(), here, join(here, '.env')];
}

/** The sandbox, once it was opened; one that runs nothing is opened anew from time to time. */
class LazySandbox {
  private opening: Promise<DescribedSandbox> | undefined;
  private openedAt = 0;

  constructor(
    private readonly open: () => Promise<DescribedSandbox>,
    private readonly log: Logger,
  ) {}

  async get(): Promise<DescribedSandbox> {
    this.opening ??= this.openOnce();
    const sandbox = await this.opening;
    if (sandbox.kind !== 'off' || Date.now() - this.openedAt < TRY_AGAIN_MS) return sandbox;
    this.opening = this.openOnce();
    return this.opening;
  }

  private async openOnce(): Promise<DescribedSandbox> {
    const sandbox = await this.open();
    this.openedAt = Date.now();
    const { kind, bounds, program, reason } = sandbox.describe();
    const level = kind === 'bubblewrap' ? 'info' : 'warn';
    this.log[level]({ sandbox: kind, bounds, program, reason }, 'sandbox for programs of tools');
    return sandbox;
  }
}

const MB = 1_048_576;

function limitsOf({ limits }: DevtoolsProfile): ToolLimits {
  return {
    fileBytes: limits.file_mb * MB,
    outputBytes: limits.output_kb * 1_024,
    timeoutMs: limits.timeout_s * 1_000,
    memoryBytes: limits.memory_mb * MB,
    processes: limits.processes,
    scratchBytes: limits.scratch_mb * MB,
  };
}
