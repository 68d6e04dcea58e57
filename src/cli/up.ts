import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { ConsoleReporter, type ReportStream } from '../adapters/supply/reporter.js';
import { requireAdminKey } from '../admin-key.js';
import { botLines } from './bot-lines.js';
import { askFirstQuestion, SEEDED } from './first-question.js';
import { prepareHome, takeHome } from './home.js';
import { requireAddress, requireMcpAddress } from './listen-address.js';
import { openProcess } from './open-process.js';
import { obtainParts, startTemporal } from './parts.js';
import { removeRunFile, writeRunFile } from './run-file.js';
import type { Runtime } from '../runtime.js';
import { Shutdown } from './shutdown.js';
import { Steps } from './steps.js';
import { summarise } from './summary.js';

export interface UpOptions {
  exitWithParent?: number | boolean | undefined;
  firstQuestion: boolean;
}

/** A drain that takes longer than this is given up. */
const DRAIN_LIMIT_MS = 40_000;

/** `dagi up`: the whole product on one machine, until it is told to stop. */
export async function up(env: Env, options: UpOptions, out: ReportStream = process.stdout): Promise<void> {
  const shutdown = new Shutdown({ exitWithParent: options.exitWithParent, onForce: () => process.exit(130) });
  const launch = new Launch(env, out, shutdown.signal);
  try {
    await Promise.race([launch.start(options.firstQuestion), shutdown.requested()]);
    await shutdown.requested();
    out.write(`draining (${shutdown.reason})…\n`);
  } finally {
    await launch.stop();
    shutdown.dispose();
  }
  out.write('done\n');
}

/** One start of the product, with everything that must be closed again, in the order in which it was opened. */
class Launch {
  private readonly steps: Steps;
  private readonly closers: (() => Promise<void>)[] = [];

  constructor(
    private readonly env: Env,
    private readonly out: ReportStream,
    private readonly signal: AbortSignal,
  ) {
    this.steps = new Steps(out);
  }

  async start(firstQuestion: boolean): Promise<void> {
    const { env, steps } = this;
    const began = performance.now();
    await steps.run(
      'configuration',
      () => this.checkBeforehand(),
      () => `profile ${env.DAGI_PROFILE}, home ${env.home}`,
    );
    const parts = await obtainParts(env, steps, new ConsoleReporter(this.out));
    const temporal = await startTemporal(env, parts.cli, steps);
    this.closers.push(() => temporal.stop());
    const runtime = await steps.run('database', () => this.openRuntime(temporal.address, parts.modelPath));
    this.closers.push(() => runtime.close());
    const { url, admin } = await steps.run('API and workers', async () => {
      const { SERVED_QUEUES } = await import('../worker.js');
      runtime.startWorkers(SERVED_QUEUES);
      return runtime.startApi({ host: env.HOST, port: env.PORT });
    });
    const mcpUrl = await steps.run('MCP', () => runtime.startMcp({ host: env.HOST, port: env.MCP_PORT }));
    await this.announce(url, mcpUrl, temporal);
    const seconds = (performance.now() - began) / 1000;
    const config = runtime.configOverview();
    const bots = await botLines(env, runtime.telegramStanding());
    const sample = runtime.isSeeded ? SEEDED : { dao: await runtime.anyDao(), user: undefined };
    this.out.write(summarise({ env, url, mcpUrl, temporalUi: temporal.uiUrl, admin, seconds, config, bots, sample }));
    // Elsewhere nobody is known by whom it could be asked, and a model may cost money.
    if (firstQuestion && runtime.isSeeded) await askFirstQuestion({ url, key: admin.key }, this.out, this.signal);
    this.out.write('Ready. Ctrl-C stops everything.\n');
  }

  /** Closes in reverse order; one failure does not keep the rest open. */
  async stop(): Promise<void> {
    const giveUp = setTimeout(() => process.exit(1), DRAIN_LIMIT_MS);
    for (const close of this.closers.reverse()) {
      await close().catch((error: unknown) => this.out.write(`  while stopping: ${String(error)}\n`));
    }
    clearTimeout(giveUp);
  }

  private openRuntime(temporalAddress: string, modelPath: string | undefined): Promise<Runtime> {
    const logFile = join(this.env.home, 'logs', 'dagi.log');
    return openProcess(this.env, { temporalAddress, modelPath, process: 'up', logFile });
  }

  /** All that can be known to fail is found out before anything is fetched or started. */
  private async checkBeforehand(): Promise<void> {
    requireAdminKey(this.env, loadConfig(this.env).profile.environment);
    await prepareHome(this.env.home);
    const lock = await takeHome(this.env.home);
    this.closers.push(() => {
      lock.release();
      return Promise.resolve();
    });
    await requireAddress(this.env);
    await requireMcpAddress(this.env);
  }

  private async announce(
    url: string,
    mcpUrl: string,
    temporal: { address: string; uiUrl: string | null },
  ): Promise<void> {
    await writeRunFile(this.env.home, {
      pid: process.pid,
      url,
      mcp_url: mcpUrl,
      temporal_address: temporal.address,
      temporal_ui: temporal.uiUrl,
      started_at: new Date().toISOString(),
    });
    this.closers.push(() => removeRunFile(this.env.home));
  }
}
