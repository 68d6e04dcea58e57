import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { TemporalGateway } from './gateway.js';

/** Time that running activities get to finish when the process stops. */
const DRAIN = '20s';
const RESTART_MS = 1_000;
/** A worker that ran this long was well, in milliseconds. */
const HEALTHY_AFTER_MS = 60_000;

/**
 * Eager starts take slots first. With few of them (the SDK's default is 40) a burst leaves none to the pollers, and the
 * starts that did not come back eagerly waited up to 8 s (measured with 50 callers at once).
 */
const WORKFLOW_SLOTS = { maxConcurrentWorkflowTaskExecutions: 400 };

/** One worker: what it takes from which queue. */
export interface WorkerSpec {
  queue: string;
  activities: object;
  /** Whether it runs workflows too, or activities alone. */
  workflows: boolean;
  /** Most activities at once. */
  maxActivities: number;
}

/**
 * The workers of a process. A worker that fails, or cannot start because Temporal is away, is made again until the
 * process stops.
 */
export class QueueWorkers {
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[] = [];
  private readonly running = new Set<Worker>();

  constructor(
    private readonly gateway: TemporalGateway,
    private readonly bundlePath: string,
    private readonly log: Logger,
  ) {}

  /** Starts a worker in the background. */
  add(spec: WorkerSpec): void {
    this.loops.push(this.keepRunning(spec));
  }

  /** Queues whose worker takes tasks at the moment. */
  polling(): string[] {
    return [...this.running]
      .filter((worker) => worker.getState() === 'RUNNING')
      .map(({ options }) => options.taskQueue);
  }

  /** Takes no more tasks, lets running activities finish, and resolves when all have. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const worker of this.running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.loops);
  }

  private async keepRunning(spec: WorkerSpec): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted;) {
      const began = Date.now();
      try {
        await this.runOnce(spec);
      } catch (error) {
        if (signal.aborted) return;
        // One that ran for a while was well: its failure is news again.
        failures = Date.now() - began > HEALTHY_AFTER_MS ? 1 : failures + 1;
        const level = failures === 1 ? 'warn' : 'debug';
        this.log[level]({ queue: spec.queue, err: error }, 'worker stopped; it is started again');
        await sleep(RESTART_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async runOnce(spec: WorkerSpec): Promise<void> {
    const connection = await this.connection();
    const worker = await Worker.create({ ...this.options(spec), connection });
    this.running.add(worker);
    try {
      const run = worker.run();
      // A worker that was made must be run to its end: until then it holds the connection.
      if (this.stopping.signal.aborted) worker.shutdown();
      await run;
    } finally {
      this.running.delete(worker);
    }
  }

  /** The connection, once there is one; a stop does not wait for it. */
  private connection(): Promise<NativeConnection> {
    const { signal } = this.stopping;
    const stopped = new Promise<never>((_resolve, reject) => {
      const stop = (): void => {
        reject(new Error('stopped', { cause: signal.reason }));
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
    return Promise.race([this.gateway.connection(), stopped]);
  }

  private options(spec: WorkerSpec): WorkerOptions {
    return {
      namespace: this.gateway.namespace,
      taskQueue: spec.queue,
      activities: spec.activities,
      ...(spec.workflows
        ? { workflowBundle: { codePath: this.bundlePath }, maxCachedWorkflows: 300, ...WORKFLOW_SLOTS }
        : {}),
      maxConcurrentActivityTaskExecutions: spec.maxActivities,
      maxConcurrentLocalActivityExecutions: spec.maxActivities,
      // A cancel reaches a running call with a heartbeat, so heartbeats may not be held back longer than this.
      maxHeartbeatThrottleInterval: '1s',
      // A workflow whose worker was killed goes to another one after this, instead of the usual ten seconds.
      stickyQueueScheduleToStartTimeout: '3s',
      shutdownGraceTime: DRAIN,
      shutdownForceTime: '30s',
    };
  }
}
