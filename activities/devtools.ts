import { ApplicationFailure } from '@temporalio/common';
import type {
  ToolCaller,
  ToolName,
  ToolOutput,
  ToolRequest,
  ToolResult,
  WriteJournal,
} from '../src/contracts/devtools.js';
import { END_OFFSET } from '../src/contracts/events.js';
import { Stopped, type Failure } from '../src/contracts/failures.js';
import { requestWorkflowId } from '../src/contracts/ids.js';
import type { RunToolInput, RunToolResult, Timings } from '../src/contracts/request.js';
import { storableJson } from '../src/contracts/text.js';
import type { RequestRecord, RequestsRepository, ToolJob } from '../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { requestBody } from '../src/domain/bodies.js';
import { withoutLongTexts } from '../src/domain/kept-tool.js';
import { AppError } from '../src/errors/app-error.js';
import { toApplicationFailure } from './failures.js';
import type { ActivityLog } from './log.js';
import { OutputStream } from './output-stream.js';
import { stopSignal } from './stop-signal.js';
import { requireOwnWorkflow } from './own-workflow.js';
import { storeFailure } from './store-failure.js';

/** Does what a tool is asked, in the workspace of a DAO. */
export interface ToolRunner {
  /** @throws AppError of the tool */
  run(daoId: string, request: ToolRequest, caller: ToolCaller): Promise<ToolResult>;
}

export interface DevtoolsDependencies {
  requests: RequestsRepository;
  tools: ToolRunner;
  bus: InProcessTokenBus;
  log: ActivityLog;
  /** Puts on the record that somebody tried what no tool does. @throws AppError `STORE_UNAVAILABLE` */
  denied(daoId: string, actor: string, detail: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface DevtoolsActivities {
  /**
   * Does what a request asks of a tool, and records what it gave before anybody is told. Safe to repeat: what reads
   * changes nothing, what writes notices that it has written.
   * @throws ApplicationFailure of a type of the closed list
   */
  runTool(input: RunToolInput): Promise<RunToolResult>;
}

export const createDevtoolsActivities = (deps: DevtoolsDependencies): DevtoolsActivities => ({
  runTool: createToolActivity(deps),
});

/** The activity that runs a tool, whatever tools there are. */
export const createToolActivity =
  (deps: DevtoolsDependencies): DevtoolsActivities['runTool'] =>
  async (input) => {
    const { requestId, daoId, deadlineAt } = input;
    requireOwnWorkflow(requestId);
    const stop = stopSignal({ deadlineAt, onCancel: (listener) => deps.bus.onCancel(requestId, listener) });
    try {
      const job = await storeFailure(() => deps.requests.claimTool(requestId, daoId));
      if (!job) return await ended(deps, input);
      return await new ToolRun(deps, input, job).run(stop.signal);
    } finally {
      stop.dispose();
    }
  };

/** The request had ended before this run: by an earlier one, or otherwise. */
async function ended(deps: DevtoolsDependencies, { requestId, daoId }: RunToolInput): Promise<RunToolResult> {
  const record = await storeFailure(() => deps.requests.find(requestId, daoId));
  if (record?.status !== 'completed') return { outcome: 'superseded', status: record?.status ?? 'failed' };
  // Whoever wrote it down may not have lived to say so.
  tellDone(deps.bus, record, 0);
  return { outcome: 'recorded' };
}

function tellDone(bus: InProcessTokenBus, record: RequestRecord, offset: number): void {
  const { id, generation } = record;
  bus.publish(id, { type: 'done', data: requestBody(record), position: { generation, offset } });
}

/** Another run of the tool has begun, or the request has ended: this one is not to change anything any more. */
const SUPERSEDED = new Stopped({ type: 'WorkerStopped', message: 'another run of this tool has begun' });

/** One run of a tool for its request. */
class ToolRun {
  /** Characters that its program has printed, as far as readers were told. */
  private offset = 0;
  private readonly startedAt = Date.now();

  constructor(
    private readonly deps: DevtoolsDependencies,
    private readonly input: RunToolInput,
    private readonly job: ToolJob,
  ) {}

  async run(signal: AbortSignal): Promise<RunToolResult> {
    const { request, journal } = this.job;
    const output = new OutputStream((one) => {
      this.tell(one);
    });
    try {
      const result = await this.deps.tools.run(this.input.daoId, request, {
        ...{ signal, journal },
        onOutput: (one) => {
          output.push(one);
        },
        plan: (plan) => this.plan(plan),
        mayWrite: () => this.mayWrite(),
      });
      output.end();
      return await this.record(storableJson(result) as ToolResult);
    } catch (error) {
      output.end();
      throw await this.failed(error);
    }
  }

  private async plan(journal: WriteJournal): Promise<void> {
    const { requestId, daoId } = this.input;
    const run = { generation: this.job.record.generation, journal };
    if (!(await storeFailure(() => this.deps.requests.keepJournal(requestId, daoId, run)))) throw SUPERSEDED;
  }

  private async mayWrite(): Promise<void> {
    const { requestId, daoId } = this.input;
    const { generation } = this.job.record;
    if (!(await storeFailure(() => this.deps.requests.isLatestRun(requestId, daoId, generation)))) throw SUPERSEDED;
  }

  private tell(data: ToolOutput): void {
    this.offset = Math.min(this.offset + data.text.length, END_OFFSET - 1);
    const position = { generation: this.job.record.generation, offset: this.offset };
    this.deps.bus.publish(this.input.requestId, { type: 'output', data, position });
  }

  private async record(result: ToolResult): Promise<RunToolResult> {
    const { requestId, daoId } = this.input;
    const { record, request } = this.job;
    const timings = this.timings();
    const kept = withoutLongTexts(request);
    const { generation } = record;
    const end = { result, kept, timings, generation };
    if (!(await storeFailure(() => this.deps.requests.recordToolResult(requestId, daoId, end)))) {
      return ended(this.deps, this.input);
    }
    const done: RequestRecord = { ...record, status: 'completed', result, timings, origin: { step: 'tool' } };
    this.log().info({ tool: request.tool, timings_ms: timings }, 'tool done');
    tellDone(this.deps.bus, done, this.offset);
    return { outcome: 'recorded' };
  }

  private timings(): Timings {
    const { record } = this.job;
    const now = Date.now();
    return {
      ...record.timings,
      queue: Math.max(0, this.startedAt - this.input.scheduledAt),
      tool: now - this.startedAt,
      total: now - record.receivedAt.getTime(),
    };
  }

  /** The failure as it crosses the activity's boundary; what was tried and is not allowed is on the record by then. */
  private async failed(error: unknown): Promise<Error> {
    if (error instanceof ApplicationFailure) return error;
    const failure = failureOf(error);
    const { tool } = this.job.request;
    if (failure.code === 'PATH_DENIED') await this.denied(tool);
    const level = failure.type === 'Internal' ? 'error' : 'info';
    this.log()[level]({ tool, failure: failure.type, code: failure.code, err: error }, 'tool failed');
    return toApplicationFailure(failure);
  }

  private async denied(tool: ToolName): Promise<void> {
    const { daoId, actor, requestId } = this.input;
    await storeFailure(() => this.deps.denied(daoId, actor, { code: 'PATH_DENIED', tool, request: requestId }));
  }

  private log(): ReturnType<ActivityLog> {
    const { requestId, daoId, actor } = this.input;
    return this.deps.log({
      requestId,
      daoId,
      actor,
      workflowId: requestWorkflowId(requestId, this.job.record.decision),
    });
  }
}

/** A tool's refusals are told as they are; whatever else it threw is ours. */
function failureOf(error: unknown): Failure {
  if (error instanceof Stopped) return error.failure;
  if (error instanceof AppError && error.code !== 'INTERNAL') {
    return { type: 'ToolRefused', code: error.code, message: error.message };
  }
  return { type: 'Internal', message: 'the tool failed in a way that was not foreseen; the log has it' };
}
