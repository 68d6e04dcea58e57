import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, type Logger, type LogLevel } from '@temporalio/worker';
import { WORKFLOWS } from '../../src/contracts/ids.js';
import * as workflows from '../../workflows/index.js';
import { WORKFLOWS_PATH } from '../support/temporal.js';

/** Builtins that the SDK lets into a bundle because they are deterministic. */
const ALLOWED_BUILTINS = ['assert', 'url', 'util'];

/** The SDK, and what its workflow part leans on. */
const SDK_PACKAGES = ['@temporalio/workflow', '@temporalio/common', '@temporalio/worker', 'nexus-rpc', 'ms', 'long'];

class RecordingLogger implements Logger {
  readonly complaints: string[] = [];

  log(level: LogLevel, message: string): void {
    if (level === 'WARN' || level === 'ERROR') this.complaints.push(message);
  }
  warn(message: string): void {
    this.complaints.push(message);
  }
  error(message: string): void {
    this.complaints.push(message);
  }
  trace(): void {}
  debug(): void {}
  info(): void {}
}

/** Paths of the modules in a bundle: webpack keeps them in the source map. */
function modulesOf(code: string): string[] {
  const encoded =
    /sourceMappingURL=data:application\/json;charset=utf-8;base64,([A-Za-z0-9+/=]+)/.exec(code)?.[1] ?? '';
  const map = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as { sources: string[] };
  return map.sources.map((source) => source.replace(/^webpack:\/\/[^/]*\//, '').replace(/^\.\//, ''));
}

describe('workflow bundle', () => {
  const logger = new RecordingLogger();
  let code: string;
  let modules: string[];

  beforeAll(async () => {
    ({ code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger }));
    modules = modulesOf(code);
  });

  it('should build without a warning', () => {
    expect(logger.complaints).toEqual([]);
  });

  it('should hold the workflows and the SDK', () => {
    expect(modules.filter((path) => path.includes('workflows/'))).not.toEqual([]);
    expect(modules.filter((path) => path.includes('node_modules/@temporalio/workflow/'))).not.toEqual([]);
  });

  it('should hold of our own code only workflows, contracts, domain and errors', () => {
    const ours = modules.filter((path) => !path.includes('node_modules/') && path.endsWith('.ts'));
    const foreign = ours.filter((path) => !/(^|\/)(workflows|src\/(contracts|domain|errors))\//.test(path));
    expect(foreign).toEqual([]);
  });

  it('should hold no package but the SDK and what it leans on', () => {
    const packages = modules.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    expect([...new Set(packages)].filter((name) => !SDK_PACKAGES.includes(name))).toEqual([]);
  });

  it('should hold none of Node’s own modules', () => {
    const names = builtinModules.filter((name) => !ALLOWED_BUILTINS.includes(name) && !name.startsWith('_'));
    const external = modules.flatMap(
      (path) => /^external (?:[a-z-]+ )?"?(?:node:)?([a-z_/0-9]+)"?/.exec(path)?.[1] ?? [],
    );
    expect(external.filter((name) => names.includes(name))).toEqual([]);
    expect(code).not.toMatch(/require\(["']node:/);
  });

  it('should export exactly the workflows that the contracts name', () => {
    expect(Object.keys(workflows).sort()).toEqual(Object.values(WORKFLOWS).sort());
    expect(readFileSync(WORKFLOWS_PATH, 'utf8')).not.toMatch(/export \*/);
  });
});
