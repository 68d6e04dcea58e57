import { Context } from '@temporalio/activity';
import type { AdvanceCrewInput, AdvancedCrew } from '../src/contracts/crew-steps.js';
import { requestIdOf } from '../src/contracts/ids.js';
import type { RunToolInput, RunToolResult } from '../src/contracts/request.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { createToolActivity, type DevtoolsDependencies, type ToolRunner } from './devtools.js';
import { toApplicationFailure } from './failures.js';
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
    advanceCrew(input) {
      requireOwnRun(input);
      return storeFailure(() => deps.crews.advance(input));
    },
    cancelCrew(input) {
      requireOwnRun(input);
      return storeFailure(() => deps.crews.cancel(input));
    },
    runDaoTool: createToolActivity({ ...deps, tools: deps.daoTools }),
  };
}

/** As for requests: whoever reaches the embedded server's port can start workflows that call our activities. */
function requireOwnRun({ runId }: AdvanceCrewInput): void {
  if (requestIdOf(Context.current().info.workflowExecution?.workflowId ?? '') === runId) return;
  throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the run' });
}
