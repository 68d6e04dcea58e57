import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  WorkflowFailedError,
  type WorkflowHandle,
  type WorkflowHandleWithStartDetails,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { routeWorkflowId, WORKFLOWS } from '../../src/contracts/ids.js';
import type { Decision, ProviderStep, RouteRequestInput, RouteRequestResult } from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import type { routeRequest } from '../../workflows/index.js';
import type { RequestActivities, ScriptedActivities } from '../fakes/scripted-activities.js';
import { connectTemporal, uniqueQueue, workflowBundle } from '../support/temporal.js';

/** Who acts in histories: nothing about this machine. */
const IDENTITY = 'dagi-test';

export type Handle = WorkflowHandle<typeof routeRequest>;
type StartedHandle = WorkflowHandleWithStartDetails<typeof routeRequest>;

interface Ending {
  result?: RouteRequestResult;
  /** Type of the failure, if it failed. */
  failure?: string;
}

/** A request from its start to its end. */
export interface Performance extends Ending {
  /** Temporal's name of how the workflow closed. */
  status: string;
  history: History;
  /** Size of the history as the server counts it, in bytes. */
  historySize: number;
  searchAttributes: Record<string, unknown>;
  eagerlyStarted: boolean;
}

/** A link of a chain, ready to be called on the workflow's own queue. */
export const step = (provider: string, changes: Partial<ProviderStep> = {}): ProviderStep => ({
  provider,
  shape: 'eager',
  queue: 'unused',
  timeoutMs: 10_000,
  queueTimeoutMs: 10_000,
  maxTokens: 256,
  maxAttempts: 1,
  retryDelayMs: 20,
  ...changes,
});

const DECISION: Omit<Decision, 'chain'> = {
  mode: 'chat',
  rule: 'default',
  roles: ['member'],
  entitlements: ['chat.write'],
  deadlineMs: 60_000,
  configHash: 'test',
};

/** What of a request is not the usual. */
export type Unusual = Partial<Omit<RouteRequestInput, 'decision'>> & { decision?: Partial<Decision> };

/** A decided request with a minute left. */
export const request = (chain: ProviderStep[], { decision, ...changes }: Unusual = {}): RouteRequestInput => ({
  version: 1,
  requestId: randomUUID(),
  daoId: 'dao-1',
  actor: 'user-1',
  deadlineAt: Date.now() + 60_000,
  decision: { ...DECISION, chain, ...decision },
  ...changes,
});

/**
 * A client and a worker on one connection, as the product has them: eager starts need that. The worker runs each request
 * by the script that was given for it.
 */
export class Stage {
  readonly client: Client;
  private readonly env: TestWorkflowEnvironment;
  private readonly scripts = new Map<string, ScriptedActivities>();
  private readonly queue = uniqueQueue();
  private worker: Worker | undefined;
  private running: Promise<void> | undefined;

  private constructor(env: TestWorkflowEnvironment) {
    this.env = env;
    this.client = new Client({ connection: env.nativeConnection, identity: IDENTITY });
  }

  static async open(): Promise<Stage> {
    const [env] = await Promise.all([connectTemporal(), workflowBundle()]);
    const stage = new Stage(env);
    const activities: RequestActivities = {
      generate: (input) => stage.scriptOf(input.requestId).activities.generate(input),
      answerWithoutModel: (input) => stage.scriptOf(input.requestId).activities.answerWithoutModel(input),
      recordFailure: (input) => stage.scriptOf(input.requestId).activities.recordFailure(input),
    };
    stage.worker = await stage.createWorker(stage.queue, activities, { workflowBundle: await workflowBundle() });
    stage.running = stage.worker.run();
    return stage;
  }

  async close(): Promise<void> {
    for (const script of this.scripts.values()) script.release();
    this.worker?.shutdown();
    await this.running;
    await this.env.teardown();
  }

  /**
   * Runs a request until it has ended.
   * @param scene what happens while it runs
   * @throws Error if the activities were not called as scripted
   */
  async perform(
    script: ScriptedActivities,
    input: RouteRequestInput,
    scene: (handle: Handle) => Promise<void> = async () => {},
  ): Promise<Performance> {
    this.scripts.set(input.requestId, script);
    const handle = await this.start(this.queue, input);
    await scene(handle);
    const performance = await performanceOf(handle);
    script.release();
    script.assertPlayed();
    return performance;
  }

  /**
   * Runs a workflow of any type, with activities of its own, until it has ended; what it continues as, too.
   * @param begin starts it on a queue
   * @param scene what happens while it runs
   * @returns the history of its first run
   */
  async run<H extends WorkflowHandle>(
    activities: object,
    begin: (client: Client, queue: string) => Promise<H>,
    scene: (handle: H) => Promise<void> = async () => {},
  ): Promise<History> {
    return this.withWorker(activities, async (queue) => {
      const handle = await begin(this.client, queue);
      const { workflowId, runId } = await handle.describe();
      await scene(handle);
      await handle.result().catch((error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error;
      });
      return this.client.workflow.getHandle(workflowId, runId).fetchHistory();
    });
  }

  /** A worker of workflows and activities for as long as `scene` lasts, on a queue of its own unless one is given. */
  async withWorker<T>(
    activities: object,
    scene: (queue: string, worker: Worker) => Promise<T>,
    { taskQueue: queue = uniqueQueue(), ...options }: Partial<WorkerOptions> = {},
  ): Promise<T> {
    const worker = await this.createWorker(queue, activities, { ...options, workflowBundle: await workflowBundle() });
    return worker.runUntil(() => scene(queue, worker));
  }

  /** A worker of activities alone. */
  async withActivityWorker<T>(queue: string, activities: object, scene: () => Promise<T>): Promise<T> {
    const worker = await this.createWorker(queue, activities);
    return worker.runUntil(scene);
  }

  /** Starts a request as src/adapters/temporal/gateway.ts does. */
  async start(queue: string, input: RouteRequestInput): Promise<StartedHandle> {
    return this.client.workflow.start<typeof routeRequest>(WORKFLOWS.routeRequest, {
      args: [input],
      workflowId: routeWorkflowId(input.requestId),
      taskQueue: queue,
      requestEagerStart: true,
      workflowTaskTimeout: '5s',
    });
  }

  private scriptOf(requestId: string): ScriptedActivities {
    const script = this.scripts.get(requestId);
    if (!script) throw new Error(`There is no script for request ${requestId}`);
    return script;
  }

  private createWorker(taskQueue: string, activities: object, options: Partial<WorkerOptions> = {}): Promise<Worker> {
    return Worker.create({
      ...options,
      taskQueue,
      activities,
      identity: IDENTITY,
      connection: this.env.nativeConnection,
      // As in src/adapters/temporal/workers.ts: a cancel reaches a running call with a heartbeat.
      maxHeartbeatThrottleInterval: '1s',
      shutdownForceTime: '5s',
    });
  }
}

/** Waits until a request has ended, and gathers what is to be known about it. */
export async function performanceOf(handle: StartedHandle): Promise<Performance> {
  const ending = await endingOf(handle);
  const [{ status, historySize, typedSearchAttributes }, history] = await Promise.all([
    handle.describe(),
    handle.fetchHistory(),
  ]);
  const ours = typedSearchAttributes.getAll().filter(({ key }) => key.name in SEARCH_ATTRIBUTES);
  return {
    ...ending,
    status: status.name,
    history,
    historySize: historySize ?? 0,
    searchAttributes: Object.fromEntries(ours.map(({ key, value }) => [key.name, value])),
    eagerlyStarted: handle.eagerlyStarted,
  };
}

async function endingOf(handle: Handle): Promise<Ending> {
  try {
    return { result: await handle.result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure) return {};
    const type = error.cause instanceof ApplicationFailure ? error.cause.type : undefined;
    return { failure: type ?? String(error.cause) };
  }
}

type Event = NonNullable<History['events']>[number];
type Kind = Extract<keyof Event, `${string}EventAttributes`>;

/** Attributes of all events of a kind, in order. */
export const attributesOf = <K extends Kind>(history: History, kind: K): NonNullable<Event[K]>[] =>
  (history.events ?? []).flatMap((event) => event[kind] ?? []);

/** Waits until an event of a kind is in the history. */
export async function seen(handle: Pick<Handle, 'fetchHistory'>, kind: Kind): Promise<void> {
  while (attributesOf(await handle.fetchHistory(), kind).length === 0) await sleep(20);
}
