import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { RequestBody } from '../contracts/bodies.js';
import type { SeenRun } from '../contracts/crew-view.js';
import type { RouteSubmission } from '../contracts/request.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from '../services/accepted.js';
import type { McpCaller } from './caller.js';
import { TASKS_EXTENSION } from './names.js';
import { isOpen } from './calls.js';
import type { ToolParts } from './parts.js';
import type { ProtocolServer } from './protocol-server.js';
import { decisionsIn, questionsOf } from './people.js';
import type { ToolCall } from './tool.js';
import { requestAnswer } from './tools/routed.js';
import { runAnswer } from './tools/run-answer.js';

/** How often clients are told to ask, in milliseconds. */
const POLL_MS = 1_000;

const ClientSchema = z.looseObject({
  extensions: z.looseObject({ [TASKS_EXTENSION]: z.object({}).optional() }).optional(),
});

/** Whether the client of a call has said, with this very call, that it knows tasks. */
export function knowsTasks({ mcpReq }: ServerContext): boolean {
  const envelope: Readonly<Record<string, unknown>> = { ...mcpReq.envelope };
  const { extensions } = ClientSchema.catch({}).parse(envelope[CLIENT_CAPABILITIES_META_KEY]);
  return extensions?.[TASKS_EXTENSION] !== undefined;
}

/** Begins what a tool is asked for as a task, for a client that knows them; undefined: it does not. */
export async function taskFor(
  { calls, requests }: ToolParts,
  call: ToolCall,
  submission: RouteSubmission,
): Promise<CallToolResult | undefined> {
  if (call.era === 'legacy' || !knowsTasks(call.context)) return undefined;
  // Its id is the client's handle: the same call again is another task.
  const accepted = await calls.begin(call, submission, false);
  const { receivedAt } = await requests.visible(call.caller.key, accepted.requestId, { userId: submission.userId });
  const at = receivedAt.toISOString();
  return { resultType: 'task', ...taskHead(accepted.requestId, at, at), status: 'working', content: [] };
}

interface TaskHead {
  taskId: string;
  createdAt: string;
  lastUpdatedAt: string;
  /** Null: it is kept. */
  ttlMs: null;
  pollIntervalMs: number;
}

const taskHead = (taskId: string, createdAt: string, lastUpdatedAt: string): TaskHead => ({
  ...{ taskId, createdAt, lastUpdatedAt },
  ...{ ttlMs: null, pollIntervalMs: POLL_MS },
});

const TaskParams = z.looseObject({ taskId: z.string().min(1).max(64) });

/** Serves the requests of a caller as tasks. What is kept of them is the requests themselves. */
export function serveTasks(server: ProtocolServer, caller: McpCaller, parts: ToolParts): void {
  const tasks = new Tasks(caller, parts);
  const serve = (method: string, answer: (taskId: string, context: ServerContext) => Promise<object>): void => {
    server.setRequestHandler(method, { params: TaskParams }, async ({ taskId }, context) => {
      requireTasks(context);
      return { ...(await answer(taskId, context)) };
    });
  };
  serve('tasks/get', (taskId) => tasks.get(taskId));
  serve('tasks/update', (taskId, context) => tasks.update(taskId, context.mcpReq.inputResponses));
  serve('tasks/cancel', (taskId) => tasks.cancel(taskId));
}

function requireTasks(context: ServerContext): void {
  if (!knowsTasks(context)) {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
  }
}

/** A request that is looked at as a task. */
interface Found {
  body: RequestBody;
  accepted: Accepted;
  receivedAt: Date;
  endedAt: Date | null;
  run: SeenRun | undefined;
}

class Tasks {
  constructor(
    private readonly caller: McpCaller,
    private readonly parts: ToolParts,
  ) {}

  async get(taskId: string): Promise<object> {
    const { body, run, receivedAt, endedAt } = await this.find(taskId);
    const head = taskHead(taskId, receivedAt.toISOString(), (endedAt ?? new Date()).toISOString());
    if (body.status === 'cancelled') return { ...head, status: 'cancelled' };
    if (isOpen(body.status)) {
      const inputRequests = run ? questionsOf(run.gates) : {};
      if (Object.keys(inputRequests).length === 0) return { ...head, status: 'working', statusMessage: messageOf(run) };
      return { ...head, status: 'input_required', statusMessage: messageOf(run), inputRequests };
    }
    const result = run ? runAnswer(run) : requestAnswer(body, '');
    return { ...head, status: 'completed', result: { resultType: 'complete', ...result } };
  }

  /** Takes answers to what was asked; what is not asked, or no more, is passed over. */
  async update(taskId: string, responses: Record<string, unknown> | undefined): Promise<object> {
    const { run } = await this.find(taskId);
    const { key } = this.caller;
    if (run) {
      for (const made of decisionsIn(run, responses)) {
        await this.parts.runs.decide(key, taskId, made, this.caller.actingIn()).catch(asProtocolError);
      }
    }
    return {};
  }

  /** Cancels what has not ended; of what has it says nothing else. */
  async cancel(taskId: string): Promise<object> {
    const { body } = await this.find(taskId);
    if (isOpen(body.status)) {
      await this.parts.requests.cancel(this.caller.key, taskId, this.caller.actingIn()).catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === 'REQUEST_ENDED')) asProtocolError(error);
      });
    }
    return {};
  }

  /** What is not there and what is not theirs look alike; steps of a run are no tasks. */
  private async find(taskId: string): Promise<Found> {
    const { requests, outcomes, runs } = this.parts;
    const { key } = this.caller;
    const named = this.caller.actingIn();
    try {
      const record = await requests.visible(key, taskId, named);
      if (record.runId !== null) throw new AppError('REQUEST_NOT_FOUND');
      const accepted = requests.joined(record);
      const { receivedAt, timings } = record;
      const run = record.mode === 'crew' ? await runs.get(key, taskId, named) : undefined;
      const endedAt = run?.ended_at ?? (timings.total === undefined ? null : after(receivedAt, timings.total));
      return { body: await outcomes.body(accepted), accepted, receivedAt, endedAt, run };
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 404) return asProtocolError(error);
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such task, or it is not yours.');
    }
  }
}

const after = (time: Date, ms: number): Date => new Date(time.getTime() + ms);

const messageOf = (run: SeenRun | undefined): string => (run ? `${run.crew}: ${run.state}` : 'running');

/** An error of ours as the protocol has it, with the code and the sentence. */
function asProtocolError(error: unknown): never {
  if (!(error instanceof AppError)) throw error;
  const { code, message, detail } = error;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${code}: ${message}`, { code, ...detail });
}
