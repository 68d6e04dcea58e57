import { Runtime, makeTelemetryFilterString, type LogLevel, type LogMetadata } from '@temporalio/worker';
import type { Logger } from 'pino';
import { requestIdOf } from '../../contracts/ids.js';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;

/** What the SDK warns of and we do not: either wanted, or told by a line of our own that names the request. */
const EXPECTED = /^(No workflows registered|Workflow failed$|Activity failed$)/;

/** The SDK's fields under the names that ours have. */
function named(meta: LogMetadata): Record<string, unknown> {
  const { workflowId, error, ...rest } = meta as Record<string, unknown>;
  const requestId = typeof workflowId === 'string' ? requestIdOf(workflowId) : undefined;
  return {
    ...rest,
    ...(workflowId === undefined ? {} : { workflow_id: workflowId }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(error === undefined ? {} : { err: error }),
  };
}

/** Sends the SDK's own log lines to ours, and leaves signals to the composition root. Once per process, first of all. */
export function installTemporalRuntime(logger: Logger): void {
  const write = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    logger[EXPECTED.test(message) ? 'debug' : LEVELS[level]]({ component: 'temporal', ...named(meta ?? {}) }, message);
  };
  const at =
    (level: LogLevel) =>
    (message: string, meta?: LogMetadata): void => {
      write(level, message, meta);
    };
  Runtime.install({
    logger: {
      log: write,
      trace: at('TRACE'),
      debug: at('DEBUG'),
      info: at('INFO'),
      warn: at('WARN'),
      error: at('ERROR'),
    },
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
    shutdownSignals: [],
  });
}
