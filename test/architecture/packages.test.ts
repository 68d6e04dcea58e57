import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';

const ROOT = resolve(import.meta.dirname, '../..');
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { version: string; resolved?: string }>;
};

/** Versions of a package in the whole tree, by path. */
function copiesOf(pattern: RegExp): [path: string, version: string][] {
  const entries = Object.entries(LOCK.packages).filter(([path]) => pattern.test(path));
  return entries.map(([path, { version }]) => [path, version]);
}

describe('packages', () => {
  it('should hold all packages of Temporal once, at one version', () => {
    const copies = copiesOf(/node_modules\/@temporalio\/[^/]+$/);
    expect(copies.length).toBeGreaterThan(5);
    expect(new Set(copies.map(([, version]) => version)).size).toBe(1);
    expect(copies.filter(([path]) => path.lastIndexOf('node_modules/') > 0)).toEqual([]);
  });

  it('should hold one copy of protobufjs 8, which Temporal’s packages share', () => {
    const eight = copiesOf(/(^|\/)node_modules\/protobufjs$/).filter(([, version]) => version.startsWith('8.'));
    expect(eight.map(([path]) => path)).toEqual(['node_modules/protobufjs']);
  });

  it('should read a history from JSON', () => {
    const workflowExecutionStartedEventAttributes = { workflowType: { name: 'routeRequest' } };
    const type = 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED';
    const history = historyFromJSON({
      events: [{ eventId: '1', eventType: type, workflowExecutionStartedEventAttributes }],
    });
    expect(history.events?.[0]?.eventType).toBe(1);
  });

  it('should name no package registry in any tracked file', () => {
    expect(Object.values(LOCK.packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
    const hosts = [
      'registry\\.[a-z0-9-]+\\.[a-z]+',
      ...['pythonhosted', 'pypi'].map((name) => `${name}\\.org`),
      configuredRegistry(),
    ];
    const pattern = hosts.filter(Boolean).join('|');
    expect(filesThatMatch(pattern)).toEqual([]);
  });
});

/** Host of the registry that this machine uses, for a mirror's name must not get into a file either. */
function configuredRegistry(): string {
  const url = execFileSync('npm', ['config', 'get', 'registry'], { cwd: ROOT, encoding: 'utf8' }).trim();
  const { hostname } = new URL(url);
  return /^(localhost|[\d.]+)$/.test(hostname) ? '' : hostname.replaceAll('.', '\\.');
}

function filesThatMatch(pattern: string): string[] {
  try {
    return execFileSync('git', ['grep', '-lIE', pattern], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  } catch (error) {
    if ((error as { status?: number }).status === 1) return [];
    throw error;
  }
}
