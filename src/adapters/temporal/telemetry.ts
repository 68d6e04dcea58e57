import { Runtime, makeTelemetryFilterString, type LogLevel, type LogMetadata } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;

/** Sends the SDK's own log lines to ours, and leaves signals to the composition root. Once per process, first of all. */
export function installTemporalRuntime(logger: Logger): void {
  const log = logger.child({ component: 'temporal' });
  const write = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    // A worker for activities alone is what we want; the SDK warns of it.
    const expected = message.startsWith('No workflows registered');
    log[expected ? 'debug' : LEVELS[level]]({ ...meta }, message);
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
