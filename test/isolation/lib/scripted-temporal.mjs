// Runs a request's activities at once, in this process, as the workflow would; no server, nothing durable.
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { ScriptedCrews } from './scripted-crews.mjs';

/** Shorter timers would go by the machine's time. */
const SHORTEST_MS = 6_000;
const QUIET = { logger: new DefaultLogger('ERROR') };

export class ScriptedTemporal {
  isConnected = true;
  running = new Map();
  clocks = new Map();

  /** @param activities those of the product */
  serve(activities) {
    this.activities = activities;
    this.crews = new ScriptedCrews(activities, (...use) => this.useTool(...use), {
      ...{ quiet: QUIET, shortestMs: SHORTEST_MS },
      follow: (run) => this.follow(Symbol('a look'), run),
    });
  }

  async start(input) {
    const { requestId } = input;
    if (this.running.has(requestId)) return 'eager';
    this.follow(requestId, this.run(input));
    return 'eager';
  }

  /** What runs is waited for before the next operation. */
  follow(id, run) {
    const ended = run
      .catch((error) => {
        this.failure ??= error;
      })
      .finally(() => this.running.delete(id));
    this.running.set(id, ended);
    return ended;
  }

  /** A tool, and the record of why it refused. */
  async useTool(environment, tool, { requestId, daoId, actor, deadlineAt }) {
    const subject = { requestId, daoId, actor };
    const call = { ...subject, deadlineAt, scheduledAt: Date.now() };
    await environment.run(tool, call).catch(async (error) => {
      const [failure] = error.details ?? [];
      if (failure?.type !== 'ToolRefused') throw error;
      await environment.run(this.activities.recordFailure, { ...subject, status: 'failed', failure, attempts: [] });
    });
  }

  async run(input) {
    const { requestId, daoId, actor, decision, deadlineAt } = input;
    if (decision.mode === 'crew') return this.crews.begin(input);
    const kind = decision.mode === 'devtools' ? 'devtools' : 'route';
    const workflowExecution = { workflowId: `${kind}/${requestId}`, runId: 'run' };
    const environment = new MockActivityEnvironment({ workflowExecution }, QUIET);
    if (kind === 'devtools') return this.useTool(environment, this.activities.runTool, input);
    const subject = { requestId, daoId, actor, deadlineAt, attempts: [] };
    const without = (allow) => environment.run(this.activities.answerWithoutModel, { ...subject, decision, allow });
    if (decision.cache && (await without('fresh')).outcome !== 'none') return;
    const [step] = decision.chain;
    if (!step) return void (await without('anything'));
    const call = { ...subject, step, scheduledAt: Date.now(), weight: decision.weight ?? 1, priority: 1 };
    await environment.run(this.activities.generate, call);
  }

  /** The clock of a proposal: looks what is due, and again when it was told to. */
  async pokeProposal(daoId, n) {
    const workflowId = `proposal/${daoId}/${n}`;
    clearTimeout(this.clocks.get(workflowId));
    const environment = new MockActivityEnvironment({ workflowExecution: { workflowId, runId: 'run' } }, QUIET);
    const run = environment.run(this.activities.advanceProposal, { daoId, n });
    const look = run.then(({ remainingMs, final }) => {
      if (final || remainingMs === null) return;
      this.clocks.set(
        workflowId,
        setTimeout(() => void this.pokeProposal(daoId, n), Math.max(remainingMs, SHORTEST_MS)),
      );
    });
    this.follow(Symbol(workflowId), look);
  }

  /** All but runs of crews have ended by the time that anybody can cancel them. */
  cancel(workflowId) {
    return this.crews.cancel(workflowId);
  }

  pokeCrew(crew, runId) {
    return this.crews.poke(crew, runId);
  }

  async closed(requestId) {
    await this.running.get(requestId);
  }

  ping() {
    return Promise.resolve();
  }

  /** Resolves when nothing runs. @throws what a request failed of: in this run none may */
  async settled() {
    while (this.running.size > 0) await Promise.all(this.running.values());
    if (this.failure) throw this.failure;
  }
}
