import { Runtime, makeTelemetryFilterString, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;

/** Sends the SDK's own log lines to ours, and leaves signals to the composition root. Once per process, first of all. */
export function installTemporalRuntime(logger: Logger): void {
  const log = logger.child({ component: 'temporal' });
  const write = ({ level, message, meta }: Pick<LogEntry, 'level' | 'message' | 'meta'>): void => {
    log[LEVELS[level]]({ ...meta }, message);
  };
  const at =
    (level: LogEntry['level']) =>
    (message: string, meta?: LogEntry['meta']): void => {
      write({ level, message, meta });
    };
  Runtime.install({
    logger: {
      log: (level, message, meta) => {
        write({ level, message, meta });
      },
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
