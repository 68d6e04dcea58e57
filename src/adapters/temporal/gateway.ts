import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { Semaphore, withTimeout } from 'async-mutex';
import type { Logger } from 'pino';
import {
  crewWorkflowId,
  dialogWorkflowId,
  newsWorkflowId,
  proposalWorkflowId,
  QUEUES,
  requestWorkflowId,
  WORKFLOWS,
} from '../../contracts/ids.js';
import type { ChatAddress, Lane } from '../../contracts/dialog.js';
import type { RouteRequestInput } from '../../contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.js';
import { AppError } from '../../errors/app-error.js';
import { isForgotten, isRefusal, unlessFull } from './refusals.js';
import { argumentOf, summaryOf, workflowOf } from './request-workflow.js';
import { keepAuditHeadsSchedule } from './schedules.js';
import { ensureSearchAttributes } from './search-attributes.js';
import type { dialog, news, proposal, routeRequest } from '../../../workflows/index.js';
import { POKE_CREW_SIGNAL } from '../../../workflows/crew-run/messages.js';
import { POKE_DIALOG_SIGNAL, type DialogPoke } from '../../../workflows/dialog/messages.js';
import { POKE_NEWS_SIGNAL } from '../../../workflows/news/messages.js';
import { POKE_SIGNAL } from '../../../workflows/proposal/messages.js';

/** How long a caller waits for Temporal to accept, in milliseconds. */
const START_TIMEOUT_MS = 1_500;
/**
 * So many chats a process wakes at once, and how long one of them waits for its turn, in milliseconds. A server that falls
 * behind would do none of them in time if it had them all; then the platforms bring what was refused once more, and so
 * keep it behind.
 */
const WAKING = 4;
const TURN_MS = 1_500;
const RECONNECT_MS = 500;
/** How often search attributes are given to a server that lost them, and how soon a start is tried after that. */
const MEND_EVERY_MS = 3_000;
const MEND_PAUSE_MS = 100;
/** After its deadline a workflow still has to write down how it ended, for a day if need be, in milliseconds. */
const RUN_TIMEOUT_MARGIN_MS = 25 * 3_600_000;
/** How long making the schedules may take, and how soon it is tried again, in milliseconds. */
const SCHEDULE_TIMEOUT_MS = 10_000;
const SCHEDULE_AGAIN_MS = 30_000;
/** Short, so that a request whose worker was killed goes on quickly, in milliseconds. */
const WORKFLOW_TASK_TIMEOUT_MS = 5_000;

const FORGOTTEN =
  'Temporal does not know our namespace or our search attributes, so nothing was accepted; the log says what is missing.';

export interface TemporalTarget {
  address: string;
  namespace: string;
  apiKey?: string | undefined;
  tls?: boolean | undefined;
}

export type StartOutcome = 'eager' | 'queued' | 'already-closed';

/**
 * The one door to Temporal's client. Connects in the background, so that a process can start, and tell that it is not
 * ready, while Temporal is away. The connection is native and shared with the workers: eager starts need that.
 */
export class TemporalGateway {
  private readonly stopping = new AbortController();
  private readonly connecting: Promise<NativeConnection>;
  private connected: NativeConnection | undefined;
  private client: Client | undefined;
  private mendedAt = -Infinity;
  private mending: Promise<boolean> = Promise.resolve(false);
  /** Whether the last start was refused since the server forgot what we need. */
  private wasForgotten = false;
  private hasSchedules = false;
  private readonly waking = withTimeout(new Semaphore(WAKING), TURN_MS, new AppError('TEMPORAL_UNAVAILABLE'));
  private keeping: Promise<void> | undefined;

  constructor(
    private readonly target: TemporalTarget,
    private readonly log: Logger,
  ) {
    this.connecting = this.connect();
    // Whoever needs the connection awaits it; nobody may be there yet when the process stops.
    this.connecting.catch(() => undefined);
  }

  get namespace(): string {
    return this.target.namespace;
  }

  /** Whether Temporal was found. It may be away again: starts tell. */
  get isConnected(): boolean {
    return this.client !== undefined;
  }

  /** The connection, as soon as there is one. Rejects when the gateway is closed first. */
  connection(): Promise<NativeConnection> {
    return this.connecting;
  }

  /**
   * Starts the workflow of a request, or finds the one that runs. Safe to repeat. A server that forgot our search
   * attributes, as one in memory does when it is started again, is taught them first.
   * @throws AppError `TEMPORAL_UNAVAILABLE` within two seconds
   */
  async start(input: RouteRequestInput): Promise<StartOutcome> {
    return this.mended((giveUpAt) => this.startOnce(input, giveUpAt));
  }

  /**
   * Tells the workflow of a proposal to look again, and starts it if there is none. Safe to repeat.
   * @throws AppError `TEMPORAL_UNAVAILABLE` within two seconds
   */
  async pokeProposal(daoId: string, n: number): Promise<void> {
    const poke = (client: Client): Promise<unknown> =>
      client.workflow.signalWithStart<typeof proposal>(WORKFLOWS.proposal, {
        args: [{ version: 1, daoId, n }],
        signal: POKE_SIGNAL,
        workflowId: proposalWorkflowId(daoId, n),
        taskQueue: QUEUES.orchestrator,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        priority: { priorityKey: 3, fairnessKey: fairnessKey(daoId) },
        staticSummary: `proposal ${n}`,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.DaoId, value: daoId }],
      });
    await this.mended((giveUpAt) => this.bounded(poke, giveUpAt));
  }

  /**
   * Tells the workflow of a chat to look again, and starts it if there is none. Safe to repeat.
   * @param lane what came in; absent: whatever is due
   * @throws AppError `TEMPORAL_UNAVAILABLE` within four seconds
   */
  async pokeDialog(address: ChatAddress, lane?: Lane): Promise<void> {
    const poke = (client: Client): Promise<unknown> =>
      client.workflow.signalWithStart<typeof dialog, DialogPoke>(WORKFLOWS.dialog, {
        args: [{ version: 1, ...address }],
        signal: POKE_DIALOG_SIGNAL,
        signalArgs: lane === undefined ? [] : [lane],
        workflowId: dialogWorkflowId(address),
        taskQueue: QUEUES.dialogs,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        priority: { priorityKey: 2 },
        staticSummary: `dialog in ${address.source}`,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.Mode, value: 'dialog' }],
      });
    await this.waking.runExclusive(() => unlessFull(this.mended((giveUpAt) => this.bounded(poke, giveUpAt))));
  }

  /**
   * Tells the workflow of a DAO's news to look again, and starts it if there is none. Safe to repeat.
   * @throws AppError `TEMPORAL_UNAVAILABLE` within two seconds
   */
  async pokeNews(daoId: string): Promise<void> {
    const poke = (client: Client): Promise<unknown> =>
      client.workflow.signalWithStart<typeof news>(WORKFLOWS.news, {
        args: [{ version: 1, daoId }],
        signal: POKE_NEWS_SIGNAL,
        workflowId: newsWorkflowId(daoId),
        taskQueue: QUEUES.dialogs,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        priority: { priorityKey: 3, fairnessKey: fairnessKey(daoId) },
        staticSummary: 'news',
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.DaoId, value: daoId }],
      });
    await this.mended((giveUpAt) => this.bounded(poke, giveUpAt));
  }

  /** Runs a start again once a server that forgot our search attributes was taught them. */
  private async mended<T>(start: (giveUpAt: number) => Promise<T>): Promise<T> {
    const giveUpAt = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        const outcome = await start(giveUpAt);
        this.wasForgotten = false;
        return outcome;
      } catch (error) {
        if (!(error instanceof AppError) || !isForgotten(error.cause)) throw error;
        this.wasForgotten = true;
        // What was taught is used a moment later.
        if (!(await this.mend()) || Date.now() + MEND_PAUSE_MS >= giveUpAt) throw error;
        await sleep(MEND_PAUSE_MS);
      }
    }
  }

  private async startOnce(input: RouteRequestInput, giveUpAt: number): Promise<StartOutcome> {
    const { requestId, daoId, actor, decision } = input;
    const start = (client: Client): ReturnType<typeof client.workflow.start<typeof routeRequest>> =>
      client.workflow.start<typeof routeRequest>(workflowOf(decision), {
        args: [argumentOf(input)],
        workflowId: requestWorkflowId(requestId, decision),
        taskQueue: QUEUES.orchestrator,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        requestEagerStart: true,
        // A run of a crew waits for people as long as it takes.
        ...(decision.crew
          ? {}
          : { workflowRunTimeout: Math.max(0, input.deadlineAt - Date.now()) + RUN_TIMEOUT_MARGIN_MS }),
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        priority: { priorityKey: 1, fairnessKey: fairnessKey(daoId) },
        staticSummary: summaryOf(decision),
        typedSearchAttributes: [
          { key: SEARCH_ATTRIBUTES.DaoId, value: daoId },
          { key: SEARCH_ATTRIBUTES.UserId, value: actor },
          { key: SEARCH_ATTRIBUTES.Mode, value: decision.mode },
          { key: SEARCH_ATTRIBUTES.Rule, value: decision.rule },
          ...(decision.crew ? [{ key: SEARCH_ATTRIBUTES.Crew, value: decision.crew.id }] : []),
        ],
      });
    try {
      const handle = await this.bounded(start, giveUpAt);
      return handle.eagerlyStarted ? 'eager' : 'queued';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'already-closed';
      throw error;
    }
  }

  /**
   * Gives the server our search attributes again, at most once every few seconds: many starts find out at once.
   * @returns whether it has them now
   * @throws AppError `TEMPORAL_UNAVAILABLE`
   */
  private mend(): Promise<boolean> {
    const now = Date.now();
    if (now - this.mendedAt < MEND_EVERY_MS) return this.mending;
    this.mendedAt = now;
    this.mending = this.bounded(({ connection }) => {
      const { operatorService } = connection as NativeConnection;
      return ensureSearchAttributes(operatorService, this.target.namespace, this.log);
    });
    // A server that forgot those has forgotten our schedules too.
    if (this.hasSchedules) void this.mending.then(() => this.keepSchedules()).catch(() => undefined);
    return this.mending;
  }

  /**
   * Tells the run of a crew to look again.
   * @returns false if no workflow is there to hear it
   * @throws AppError `TEMPORAL_UNAVAILABLE` within two seconds
   */
  pokeCrew(crew: string, runId: string): Promise<boolean> {
    return this.reach((client) => client.workflow.getHandle(crewWorkflowId(crew, runId)).signal(POKE_CREW_SIGNAL));
  }

  /** Asks a workflow to cancel. Returns false if there is none, or none any more. */
  cancel(workflowId: string): Promise<boolean> {
    return this.reach((client) => client.workflow.getHandle(workflowId).cancel());
  }

  /** Calls a workflow. Returns false if there is none, or none any more. */
  private async reach(call: (client: Client) => Promise<unknown>): Promise<boolean> {
    try {
      await this.bounded(call);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  /** Resolves when a workflow has closed, however it closed. Rejects if Temporal goes away meanwhile. */
  async closed(workflowId: string, signal: AbortSignal): Promise<void> {
    const connection = await this.connecting;
    const handle = this.clientNow().workflow.getHandle(workflowId);
    await connection
      .withAbortSignal(signal, () => handle.result())
      .catch((error: unknown) => {
        // A failed or cancelled workflow is closed too; only errors of the call itself are errors here.
        if (error instanceof Error && error.name === 'WorkflowFailedError') return;
        throw error;
      });
  }

  /**
   * Asks the server for a sign of life, and whether it could take requests, if it last could not.
   * @throws AppError `TEMPORAL_UNAVAILABLE` within two seconds
   */
  async ping(): Promise<void> {
    await this.bounded((client) => client.workflowService.getSystemInfo({}));
    if (this.wasForgotten && !(await this.mend())) throw new AppError('TEMPORAL_UNAVAILABLE', FORGOTTEN);
  }

  /**
   * Makes the schedules of the product, or brings those that are there up to date. Tried until it succeeds or the
   * gateway is closed, in the background; and again when the server has forgotten what we need.
   */
  keepSchedules(): Promise<void> {
    this.keeping ??= this.tryToKeepSchedules().finally(() => {
      this.keeping = undefined;
    });
    this.hasSchedules = true;
    return this.keeping;
  }

  private async tryToKeepSchedules(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.connecting;
        await this.bounded(({ schedule }) => keepAuditHeadsSchedule(schedule), Date.now() + SCHEDULE_TIMEOUT_MS);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) this.log.warn({ err: error }, 'schedules could not be made; trying again');
        await sleep(SCHEDULE_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** Closes the connection. Workers must have stopped before. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.connected?.close();
  }

  private async connect(): Promise<NativeConnection> {
    const { address, apiKey, tls } = this.target;
    for (let failures = 0; ; failures += 1) {
      this.stopping.signal.throwIfAborted();
      try {
        const connection = await NativeConnection.connect({
          address,
          ...(apiKey === undefined ? {} : { apiKey }),
          ...(tls === undefined ? {} : { tls }),
        });
        try {
          await ensureSearchAttributes(connection.operatorService, this.target.namespace, this.log);
          this.stopping.signal.throwIfAborted();
        } catch (error) {
          // It is of no use, or came too late: nobody else would close it.
          await connection.close();
          throw error;
        }
        this.connected = connection;
        this.client = new Client({ connection, namespace: this.target.namespace });
        return connection;
      } catch (error) {
        this.stopping.signal.throwIfAborted();
        if (failures === 0) this.log.warn({ address, err: error }, 'Temporal does not answer; trying again');
        await sleep(RECONNECT_MS, undefined, { signal: this.stopping.signal });
      }
    }
  }

  private clientNow(): Client {
    if (!this.client) throw new AppError('TEMPORAL_UNAVAILABLE');
    return this.client;
  }

  /** Runs a call with a deadline. The native client retries inside it; what is late or broken is unavailability. */
  private async bounded<T>(
    call: (client: Client) => Promise<T>,
    giveUpAt: number = Date.now() + START_TIMEOUT_MS,
  ): Promise<T> {
    const client = this.clientNow();
    const late = new AbortController();
    const timeout = sleep(giveUpAt - Date.now() + 250, undefined, { signal: late.signal }).then(() => {
      throw new AppError('TEMPORAL_UNAVAILABLE');
    });
    try {
      return await Promise.race([client.connection.withDeadline(giveUpAt, () => call(client)), timeout]);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError || error instanceof WorkflowNotFoundError) throw error;
      if (error instanceof AppError) throw error;
      if (isForgotten(error)) throw new AppError('TEMPORAL_UNAVAILABLE', FORGOTTEN, {}, { cause: error });
      throw new AppError(isRefusal(error) ? 'INTERNAL' : 'TEMPORAL_UNAVAILABLE', undefined, {}, { cause: error });
    } finally {
      late.abort();
      timeout.catch(() => undefined);
    }
  }
}

/** At most 64 bytes, as the server demands; what is longer is named by its hash. */
const fairnessKey = (daoId: string): string =>
  Buffer.byteLength(daoId) <= 64 ? daoId : createHash('sha256').update(daoId).digest('hex');
