import type { Logger } from 'pino';
import { createActivities, type ActivityDependencies } from '../activities/index.js';
import { createDevtoolsActivities } from '../activities/devtools.js';
import { createDialogActivities } from '../activities/dialogs.js';
import { createNewsActivities } from '../activities/news.js';
import { createLlmActivities } from '../activities/llm/generate.js';
import { packagePath } from '../config/paths.js';
import { QUEUES } from './contracts/ids.js';
import type { TemporalGateway } from './adapters/temporal/gateway.js';
import { QueueWorkers, type WorkerSpec } from './adapters/temporal/workers.js';
import { AppError } from './errors/app-error.js';

/** Most model calls at once, made or waited for, on the workflows' own queue: remote endpoints bear many. */
const ORCHESTRATOR_SLOTS = 300;
/**
 * Most calls to Ollama hosts that this process waits for or makes. How many of them a host gets at once is decided by
 * its pool, for all processes together; waiting costs little.
 */
const OLLAMA_SLOTS = 200;
/** Most tools at once, at work or waiting; how many programs run at once is the profile's. */
const DEVTOOLS_SLOTS = 100;

/** Most chats at once in which an answer is being written; most of them wait for a model. */
const DIALOGS_SLOTS = 1_000;

/** The queues that a worker of this product can serve. */
export const SERVED_QUEUES: readonly string[] = [QUEUES.orchestrator, QUEUES.ollama, QUEUES.devtools, QUEUES.dialogs];

/**
 * Starts workers for the named queues in this process.
 * @throws AppError `CONFIG_INVALID` for a queue that nothing runs on
 */
export function startWorkers(
  gateway: TemporalGateway,
  queues: readonly string[],
  deps: ActivityDependencies,
  log: Logger,
): QueueWorkers {
  const specs = queues.map((queue): WorkerSpec => {
    switch (queue) {
      case QUEUES.orchestrator:
        return { queue, activities: createActivities(deps), workflows: true, maxActivities: ORCHESTRATOR_SLOTS };
      case QUEUES.ollama:
        return { queue, activities: createLlmActivities(deps), workflows: false, maxActivities: OLLAMA_SLOTS };
      case QUEUES.devtools:
        return { queue, activities: createDevtoolsActivities(deps), workflows: false, maxActivities: DEVTOOLS_SLOTS };
      case QUEUES.dialogs:
        return {
          ...{ queue, workflows: true, maxActivities: DIALOGS_SLOTS },
          activities: { ...createDialogActivities(deps), ...createNewsActivities(deps) },
        };
      default:
        throw new AppError('CONFIG_INVALID', `There is no queue "${queue}". Choose of ${SERVED_QUEUES.join(', ')}.`);
    }
  });
  const workers = new QueueWorkers(gateway, packagePath('dist', 'workflow-bundle.js'), log);
  specs.forEach((spec) => {
    workers.add(spec);
  });
  return workers;
}
