import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CgroupBounds } from './cgroup-bounds.js';
import { findCgroups } from './find-cgroups.js';

const LIMITS = { outputBytes: 1, timeoutMs: 1, memoryBytes: 4096, processes: 6, scratchBytes: 1 };

describe('control groups', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dagi-cgroup-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  const mount = (point: string, type: string, options: string, from = '/'): string =>
    `30 20 0:1 ${from} ${join(root, point)} rw - ${type} ${type} rw,${options}\n`;
  const folder = async (path: string): Promise<string> => {
    await mkdir(join(root, path), { recursive: true });
    return join(root, path);
  };

  describe(findCgroups.name, () => {
    it('should find our groups in each hierarchy of version 1', async () => {
      const [memory, pids] = [await folder('memory/ours'), await folder('pids')];
      const facts = {
        groups: '4:memory:/ours\n8:cpu,pids:/\n0::/\n',
        mounts: mount('memory', 'cgroup', 'memory') + mount('pids', 'cgroup', 'cpu,pids'),
      };
      await expect(findCgroups(facts)).resolves.toEqual({ version: 1, memory, pids });
    });

    it('should take what is mounted where our path is one of outside', async () => {
      const [memory, pids] = [await folder('memory'), await folder('pids/inner')];
      const facts = {
        groups: '4:memory:/docker/abc\n8:pids:/docker/abc/inner\n',
        mounts: mount('memory', 'cgroup', 'memory', '/docker/other') + mount('pids', 'cgroup', 'pids', '/docker/abc'),
      };
      await expect(findCgroups(facts)).resolves.toEqual({ version: 1, memory, pids });
    });

    it('should have the controllers enabled below our group of version 2', async () => {
      const own = await folder('unified/ours');
      await writeFile(join(own, 'cgroup.controllers'), 'cpu memory pids\n');
      const facts = { groups: '0::/ours\n', mounts: mount('unified', 'cgroup2', '') };
      await expect(findCgroups(facts)).resolves.toEqual({ version: 2, memory: own, pids: own });
      await expect(readFile(join(own, 'cgroup.subtree_control'), 'utf8')).resolves.toBe('+memory +pids');
    });

    it('should go up one level where we have moved ourselves before', async () => {
      await folder('unified/ours/dagi-main');
      const base = join(root, 'unified/ours');
      await writeFile(join(base, 'cgroup.controllers'), 'memory pids\n');
      const facts = { groups: '0::/ours/dagi-main\n', mounts: mount('unified', 'cgroup2', '') };
      await expect(findCgroups(facts)).resolves.toMatchObject({ memory: base });
    });

    it('should find none where version 2 has no controller for memory', async () => {
      await writeFile(join(await folder('unified'), 'cgroup.controllers'), 'hugetlb pids\n');
      const facts = { groups: '0::/\n', mounts: mount('unified', 'cgroup2', '') };
      await expect(findCgroups(facts)).resolves.toBeUndefined();
    });
  });

  describe(CgroupBounds.name, () => {
    it.each([1, 2] as const)('should set limits and tell what was exceeded, version %i', async (version) => {
      // Files of the kernel's that a real group has from its start; here they are written by us.
      const bounds = new CgroupBounds({ version, memory: root, pids: root });
      const run = await bounds.open(LIMITS);
      const group = run.join[0]!.replace(/\/cgroup\.procs$/, '');
      const limit = version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
      await expect(readFile(join(group, limit), 'utf8')).resolves.toBe('4096');
      await expect(readFile(join(group, 'pids.max'), 'utf8')).resolves.toBe('11');
      await expect(run.exceeded()).resolves.toBeUndefined();
      await writeFile(join(group, 'pids.events'), 'max 3\n');
      await expect(run.exceeded()).resolves.toBe('processes');
      const events = version === 1 ? 'memory.oom_control' : 'memory.events';
      await writeFile(join(group, events), 'under_oom 0\noom 1\noom_kill 1\n');
      await expect(run.exceeded()).resolves.toBe('memory');
    });

    it('should remove the groups of processes that are gone, and no others', async () => {
      const [ours, gone] = [`dagi-run-${process.pid}-1`, 'dagi-run-4194304-1'];
      for (const name of [ours, gone, 'other']) await mkdir(join(root, name));
      await new CgroupBounds({ version: 2, memory: root, pids: root }).removeStale();
      const isThere = (name: string): Promise<boolean> =>
        chmod(join(root, name), 0o755).then(
          () => true,
          () => false,
        );
      expect(await Promise.all([ours, gone, 'other'].map(isThere))).toEqual([true, false, true]);
    });
  });
});
