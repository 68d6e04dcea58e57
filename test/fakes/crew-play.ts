import type { Client, WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { crewWorkflowId, QUEUES, runOf, stepRequestId, WORKFLOWS } from '../../src/contracts/ids.js';
import type { AdvanceCrewInput, AdvancedCrew, CrewRunInput, StepInput } from '../../src/contracts/crew-steps.js';
import type {
  GenerateInput,
  GenerateResult,
  RecordFailureInput,
  RunToolInput,
  RunToolResult,
} from '../../src/contracts/request.js';
import type { crewRun } from '../../workflows/index.js';
import { POKE_CREW_SIGNAL } from '../../workflows/crew-run/messages.js';
import { until } from '../support/until.js';
import { request, step, type Stage } from '../workflows/stage.js';
import { Script, type Generation } from './scripted-activities.js';

export type Advance = (input: AdvanceCrewInput) => Promise<AdvancedCrew>;
type Use = (input: RunToolInput) => Promise<RunToolResult>;
export type CrewHandle = WorkflowHandle<typeof crewRun>;
type Scene = (handle: CrewHandle, play: CrewPlay) => Promise<void>;

const GOES_ON: AdvancedCrew = { steps: [], waitMs: null, ended: null, waitsFor: null, tokens: 0 };

/** A step as the workflow of a run is told of it. */
export function aStep(runId: string, key: string, kind: StepInput['kind'] = 'model'): StepInput {
  const chain = kind === 'model' ? [step('first')] : [];
  const tool = kind === 'tool' && { tool: 'fs_read' as const };
  const { decision, deadlineAt } = request(chain, {
    decision: { mode: kind === 'model' ? 'chat' : 'devtools', ...tool },
  });
  return { requestId: stepRequestId(runId, key), kind, label: `somebody on ${key}`, deadlineAt, decision };
}

/** What is next, with models' turns by their keys. */
export const next =
  (changes: Partial<AdvancedCrew> = {}, keys: readonly string[] = []): Advance =>
  async ({ runId }) => ({ ...GOES_ON, steps: keys.map((key) => aStep(runId, key)), ...changes });

export const end = (ended: AdvancedCrew['ended'], tokens = 30): Advance => next({ ended, tokens });

export const poke = (handle: CrewHandle): Promise<void> => handle.signal(POKE_CREW_SIGNAL);

/** Turns that tell what is next of their run, one after the other as they begin. */
export function telling(...advances: Advance[]): Generation {
  const script = new Script('generate', advances);
  return async (input) => {
    const { requestId, daoId } = input;
    const place = { runId: runOf(requestId) ?? '', daoId };
    return { ...(await answers(input)), next: await script.play(place) };
  };
}

/** What the activities of a run do. What is not given is done well. */
interface Acts {
  advances: readonly Advance[];
  generate?: Generation;
  runTool?: Use;
  runDaoTool?: Use;
  /** Comes before a failure is written down. */
  beforeFailure?: () => Promise<void>;
}

/** A run of a crew on a stage, its looks at the record scripted. */
export class CrewPlay {
  readonly looks: Script<AdvanceCrewInput, AdvancedCrew>;
  readonly cancels: AdvanceCrewInput[] = [];
  readonly failures: RecordFailureInput[] = [];
  /** Ids of steps, as they were begun. */
  readonly begun: string[] = [];

  private readonly acts: Acts;

  constructor(acts: Acts) {
    this.acts = acts;
    this.looks = new Script('advanceCrew', acts.advances);
  }

  /** @returns the history of its first run */
  async on(stage: Stage, runId: string, scene: Scene = async () => {}): Promise<History> {
    const run = (): Promise<History> =>
      stage.run(
        this.activities(),
        (client, queue) => this.start(client, queue, runId),
        (handle) => scene(handle, this),
      );
    const history = await (this.acts.runTool ? stage.withActivityWorker(QUEUES.devtools, this.tools(), run) : run());
    this.looks.assertPlayed();
    return history;
  }

  /** Starts a run as src/adapters/temporal/gateway.ts does, on the queue of a worker that has `activities`. */
  start({ workflow }: Client, taskQueue: string, runId: string): Promise<CrewHandle> {
    const input: CrewRunInput = { version: 1, runId, daoId: 'dao-1', actor: 'user-1', crew: 'team' };
    return workflow.start<typeof crewRun>(WORKFLOWS.crewRun, {
      ...{ args: [input], taskQueue, workflowTaskTimeout: '5s', workflowId: crewWorkflowId('team', runId) },
    });
  }

  /** Waits until it was asked so often what is next. */
  asked(times: number): Promise<void> {
    return until(() => this.looks.calls.length >= times);
  }

  activities(): object {
    const { generate = answers, runDaoTool = recorded, beforeFailure } = this.acts;
    return {
      advanceCrew: (input: AdvanceCrewInput) => this.looks.play(input),
      cancelCrew: async (input: AdvanceCrewInput) => void this.cancels.push(input),
      generate: (input: GenerateInput) => this.begin(input, generate),
      runDaoTool: (input: RunToolInput) => this.begin(input, runDaoTool),
      recordFailure: async (input: RecordFailureInput) => {
        await beforeFailure?.();
        this.failures.push(input);
      },
    };
  }

  private tools(): object {
    const { runTool = recorded } = this.acts;
    return { runTool: (input: RunToolInput) => this.begin(input, runTool) };
  }

  private begin<Input extends { requestId: string }, Result>(
    input: Input,
    act: (input: Input) => Promise<Result>,
  ): Promise<Result> {
    this.begun.push(input.requestId);
    return act(input);
  }
}

const recorded: Use = async () => ({ outcome: 'recorded' });

const answers = async ({ step: { provider } }: GenerateInput): Promise<GenerateResult> => ({
  ...{ outcome: 'recorded', provider, finishReason: 'stop' },
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
});
