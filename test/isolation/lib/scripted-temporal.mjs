// Runs a request's activities at once, in this process, as the workflow would; no server, nothing durable.
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

const QUIET = { logger: new DefaultLogger('ERROR') };

export class ScriptedTemporal {
  running = new Map();

  /** @param activities those of the product */
  serve(activities) {
    this.activities = activities;
  }

  async start(input) {
    const { requestId } = input;
    if (this.running.has(requestId)) return 'eager';
    const run = this.run(input)
      .catch((error) => {
        this.failure ??= error;
      })
      .finally(() => this.running.delete(requestId));
    this.running.set(requestId, run);
    return 'eager';
  }

  async run({ requestId, daoId, actor, decision, deadlineAt }) {
    const workflowExecution = { workflowId: `route/${requestId}`, runId: 'run' };
    const environment = new MockActivityEnvironment({ workflowExecution }, QUIET);
    const subject = { requestId, daoId, actor, deadlineAt, attempts: [] };
    const without = (allow) => environment.run(this.activities.answerWithoutModel, { ...subject, decision, allow });
    if (decision.cache && (await without('fresh')).outcome !== 'none') return;
    const [step] = decision.chain;
    if (!step) return void (await without('anything'));
    const call = { ...subject, step, scheduledAt: Date.now(), weight: decision.weight ?? 1, priority: 1 };
    await environment.run(this.activities.generate, call);
  }

  cancel() {
    return Promise.resolve(false);
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
