// Does runs of crews as their workflow does, one step after the other; no server, nothing durable.
import { MockActivityEnvironment } from '@temporalio/testing';

const CREW_PRIORITY = 3;

/** What keeps runs under way, beside activities and their environments. */
export class ScriptedCrews {
  /** What runs were started with, by their workflows; those that have ended are gone. */
  runs = new Map();
  clocks = new Map();

  /** @param {{ quiet: object, shortestMs: number, follow: (run: Promise<void>) => Promise<void> }} how */
  constructor(activities, useTool, how) {
    Object.assign(this, { activities, useTool, how });
  }

  async begin(input) {
    const id = `crew/${input.decision.crew.id}/${input.requestId}`;
    this.runs.set(id, input);
    await this.look(id);
  }

  /** Does a run's steps until it has ended, or waits. */
  async look(id) {
    clearTimeout(this.clocks.get(id));
    const input = this.runs.get(id);
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId: id, runId: 'run' } },
      this.how.quiet,
    );
    const done = new Set();
    for (;;) {
      const { steps, waitMs, ended } = await environment.run(this.activities.advanceCrew, placeOf(input));
      if (ended) return void this.runs.delete(id);
      if (steps.length === 0 && waitMs !== 0) return void this.wait(id, waitMs);
      for (const step of steps) {
        if (done.has(step.requestId)) throw new Error(`${step.requestId} is open, and was done`);
        await this.perform(environment, input, step);
        done.add(step.requestId);
      }
    }
  }

  wait(id, waitMs) {
    if (waitMs === null) return;
    const look = () => void this.how.follow(this.look(id));
    this.clocks.set(id, setTimeout(look, Math.max(waitMs, this.how.shortestMs)));
  }

  async perform(environment, { daoId, actor }, { requestId, kind, deadlineAt, decision }) {
    const call = { requestId, daoId, actor, deadlineAt };
    if (kind === 'dao') return this.useTool(environment, this.activities.runDaoTool, call);
    if (kind === 'tool') return this.useTool(environment, this.activities.runTool, call);
    const terms = { scheduledAt: Date.now(), weight: decision.weight ?? 1, priority: CREW_PRIORITY };
    await environment.run(this.activities.generate, { ...call, ...terms, step: decision.chain[0], attempts: [] });
  }

  /** Has a run look what was decided. It has done so when this resolves. @returns whether it goes on */
  async poke(crew, runId) {
    const id = `crew/${crew}/${runId}`;
    if (!this.runs.has(id)) return false;
    await this.how.follow(this.look(id));
    return true;
  }

  async cancel(id) {
    const input = this.runs.get(id);
    if (!input) return false;
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId: id, runId: 'run' } },
      this.how.quiet,
    );
    clearTimeout(this.clocks.get(id));
    this.runs.delete(id);
    await environment.run(this.activities.cancelCrew, placeOf(input));
    return true;
  }
}

const placeOf = ({ requestId: runId, daoId }) => ({ runId, daoId });
