import { describe, expect, it } from '@jest/globals';
import { madeUpFiles, mountProblem, sandboxArguments } from './bubblewrap-arguments.js';

const LIMITS = { outputBytes: 1, timeoutMs: 1, memoryBytes: 1, processes: 1, scratchBytes: 4_096 };

describe(sandboxArguments.name, () => {
  const command = { argv: ['true'], workspace: '/data/dao', folder: 'sub', limits: LIMITS };
  const join = (...parts: Parameters<typeof sandboxArguments>): string => sandboxArguments(...parts).join(' ');

  it('should show the workspace under a layer that is thrown away', () => {
    expect(join(command)).toContain('--overlay-src /data/dao --tmp-overlay /workspace');
    expect(join(command)).toContain('--chdir /workspace/sub');
  });

  it('should bound each file system in memory, and end with everything read-only', () => {
    expect(join(command)).toContain('--size 4096 --tmpfs /tmp');
    expect(join(command)).toContain('--size 4096 --tmpfs /dev/shm');
    expect(sandboxArguments(command).slice(-6)).toEqual(
      ['/proc', '/dev', '/'].flatMap((path) => ['--remount-ro', path]),
    );
  });

  it('should mount behind the private /tmp, so that what lies there is seen', () => {
    const all = join({ ...command, mounts: [{ source: '/tmp/a', target: '/tmp/a' }] });
    expect(all.indexOf('--ro-bind /tmp/a')).toBeGreaterThan(all.indexOf('--tmpfs /tmp'));
  });

  it('should show a workspace as it is to a program that only reads', () => {
    const all = join({ ...command, readOnly: true });
    expect(all).toContain('--ro-bind /data/dao /workspace');
    expect(all).not.toContain('overlay');
  });

  it('should put a layer on a mount that may be written', () => {
    const all = join({ ...command, mounts: [{ source: '/data/go', target: '/go-cache', writable: true }] });
    expect(all).toContain('--overlay-src /data/go --tmp-overlay /go-cache');
  });

  it('should give no variables but ours and those of the command', () => {
    const all = sandboxArguments({ ...command, env: { CI: '1' }, path: ['/opt/node/bin'] });
    const names = all.flatMap((word, at) => (word === '--setenv' ? [all[at + 1]] : []));
    expect(names).toEqual(['HOME', 'TMPDIR', 'LANG', 'TERM', 'PATH', 'CI']);
    expect(all).toContain('--clearenv');
    expect(all.find((word) => word.startsWith('/opt/node/bin:'))).toBeDefined();
  });
});

describe(mountProblem.name, () => {
  it.each(['/opt/node', '/root/.cargo', '/tmp/modules'])('should allow %s', (target) => {
    expect(mountProblem({ source: '/data', target })).toBeUndefined();
  });

  it('should allow what lies in /usr under its own path alone, and writing only at the top', () => {
    const own = '/usr/src/app/node';
    expect(mountProblem({ source: own, target: own })).toBeUndefined();
    expect(mountProblem({ source: '/data', target: own })).toBeDefined();
    expect(mountProblem({ source: '/data', target: '/go-cache', writable: true })).toBeUndefined();
    expect(mountProblem({ source: '/data', target: '/opt/go', writable: true })).toBeDefined();
  });

  it.each([
    '/',
    '/proc',
    '/proc/sys',
    '/dev/null',
    '/etc/ssl',
    '/usr/bin',
    '/lib64',
    '/workspace/x',
    'opt',
    '/opt/../etc',
  ])('should refuse %s', (target) => {
    expect(mountProblem({ source: '/data', target })).toBeDefined();
  });
});

describe(madeUpFiles.name, () => {
  it('should name the user and nobody, each once', () => {
    expect(madeUpFiles(0, 0).passwd).toMatch(/^root:x:0:0:.*\nnobody:x:65534:/);
    expect(madeUpFiles(65_534, 65_534).passwd).toBe('sandbox:x:65534:65534::/tmp/home:/bin/sh\n');
  });
});
