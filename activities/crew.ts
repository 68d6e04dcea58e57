import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { AdvanceCrewInput, AdvancedCrew } from '../src/contracts/crew-steps.js';
import { END_OFFSET } from '../src/contracts/events.js';
import { requestIdOf, runOf } from '../src/contracts/ids.js';
import type { RunToolInput, RunToolResult } from '../src/contracts/request.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { isFinal, requestBody } from '../src/domain/bodies.js';
import { createToolActivity, type DevtoolsDependencies, type ToolRunner } from './devtools.js';
import { toApplicationFailure } from './failures.js';
import type { LlmActivities } from './llm/generate.js';
import { storeFailure } from './store-failure.js';

export interface CrewDependencies extends Omit<DevtoolsDependencies, 'tools'> {
  crews: {
    /** Moves a run on as far as it goes by what is recorded. @throws AppError `STORE_UNAVAILABLE` */
    advance(input: AdvanceCrewInput): Promise<AdvancedCrew>;
    /** Ends a run that is cancelled. @throws AppError `STORE_UNAVAILABLE` */
    cancel(input: AdvanceCrewInput): Promise<void>;
  };
  /** Tools that look at the DAO. */
  daoTools: ToolRunner;
  bus: InProcessTokenBus;
}

export interface CrewActivities {
  /** Looks at a run, writes down what follows, and tells which steps are to be done. Safe to repeat. */
  advanceCrew(input: AdvanceCrewInput): Promise<AdvancedCrew>;
  /** Ends a run that is cancelled, with its open steps and gates. Safe to repeat. */
  cancelCrew(input: AdvanceCrewInput): Promise<void>;
  /** Uses a tool that looks at the DAO, as `runTool` uses one of the workspace. */
  runDaoTool(input: RunToolInput): Promise<RunToolResult>;
}

export function createCrewActivities(deps: CrewDependencies): CrewActivities {
  return {
    async advanceCrew(input) {
      requireOwnRun(input);
      return moveOn(deps, input);
    },
    async cancelCrew(input) {
      requireOwnRun(input);
      await storeFailure(() => deps.crews.cancel(input));
      await tellEnd(deps, input);
    },
    runDaoTool: createToolActivity({ ...deps, tools: deps.daoTools }),
  };
}

/** No heartbeat is sent meanwhile: it must be over long before somebody takes the worker for dead, in milliseconds. */
const LONGEST_LOOK_MS = 3_000;

/**
 * A call to a model, and, where it is a turn of a run, at once what follows from it: so the next model begins while
 * Temporal hears of this one. Where that fails the workflow asks by itself.
 */
export const goingOn =
  (calls: LlmActivities, deps: CrewDependencies): LlmActivities['generate'] =>
  async (input) => {
    const result = await calls.generate(input);
    const runId = runOf(input.requestId);
    if (runId === undefined || result.outcome !== 'recorded') return result;
    try {
      const next = await Promise.race([
        moveOn(deps, { runId, daoId: input.daoId }),
        sleep(LONGEST_LOOK_MS, undefined, { ref: false }),
      ]);
      return next ? { ...result, next } : result;
    } catch (error) {
      deps.log(input).warn({ err: error }, 'what follows from a turn was not found out with it');
      return result;
    }
  };

async function moveOn(deps: CrewDependencies, input: AdvanceCrewInput): Promise<AdvancedCrew> {
  const advanced = await storeFailure(() => deps.crews.advance(input));
  if (advanced.ended) await tellEnd(deps, input);
  return advanced;
}

/** As for requests: whoever reaches the embedded server's port can start workflows that call our activities. */
function requireOwnRun({ runId }: AdvanceCrewInput): void {
  if (requestIdOf(Context.current().info.workflowExecution?.workflowId ?? '') === runId) return;
  throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the run' });
}

/** Tells readers how a run ended, as it is recorded. */
async function tellEnd({ requests, bus }: CrewDependencies, { runId, daoId }: AdvanceCrewInput): Promise<void> {
  const record = await storeFailure(() => requests.find(runId, daoId));
  if (!record || !isFinal(record.status)) return;
  const position = { generation: record.generation, offset: END_OFFSET };
  const data = requestBody(record);
  bus.publish(runId, data.ok ? { type: 'done', data, position } : { type: 'error', data, position });
}
