import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.js';
import type { DevServerPorts } from './ports.js';

/**
 * Settings that the measurements asked for. The two poll rates remove the 50 ms steps of the development server's few
 * shards, the time shift the full second that every shorter timer costs (a retry's pause among them); one partition keeps the order of a queue strict in a small installation.
 */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxTimeShift': '"10ms"',
  'system.enableActivityEagerExecution': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'matching.enableFairness': true,
} as const;

/** Arguments of the Temporal CLI for a persistent server that only this machine can reach. */
export function devServerArguments(ports: DevServerPorts, database: string, namespace: string): string[] {
  return [
    'server',
    'start-dev',
    ...['--ip', '127.0.0.1', '--port', String(ports.grpc)],
    ...['--ui-ip', '127.0.0.1', '--ui-port', String(ports.ui), '--ui-disable-news-fetch'],
    ...['--http-port', String(ports.http), '--metrics-port', String(ports.metrics)],
    ...['--db-filename', database],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--log-format', 'json', '--log-level', 'warn'],
    ...(namespace === 'default' ? [] : ['--namespace', namespace]),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...Object.values(SEARCH_ATTRIBUTES).flatMap(({ name, type }) => ['--search-attribute', `${name}=${cliType(type)}`]),
  ];
}

/** `KEYWORD_LIST`, as the SDK says, is `KeywordList` to the CLI. */
const cliType = (type: string): string =>
  type
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
