import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openSandbox } from '../../src/adapters/sandbox/open-sandbox.js';
import type { DescribedSandbox } from '../../src/adapters/sandbox/description.js';
import { silentReporter } from '../../src/adapters/supply/reporter.js';
import type { SandboxCommand, SandboxEnd, ToolOutput } from '../../src/contracts/devtools.js';
import { until } from '../support/until.js';

const MIB = 1 << 20;
const LIMITS = {
  outputBytes: 65_536,
  timeoutMs: 30_000,
  memoryBytes: 512 * MIB,
  processes: 64,
  scratchBytes: 64 * MIB,
};
const HOLD = join(import.meta.dirname, '../sandbox/lib/hold.mjs');
const cache = resolve(process.env.DAGI_CACHE || 'var/cache');
const open = (kind: 'bubblewrap' | 'process' | 'off', production = false): Promise<DescribedSandbox> =>
  openSandbox({ kind, cache, reporter: silentReporter, hidden: [], production });

let workspace: string;

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'dagi-sandbox-'));
  await writeFile(join(workspace, 'kept.txt'), 'kept');
});
afterEach(async () => {
  await rm(workspace, { recursive: true, force: true });
});

/** Processes whose command line holds a text that is found nowhere else. */
async function running(marker: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(marker));
}

/** The same without giving way to anything else in this process. */
function runsNow(marker: string): boolean {
  const lineOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && lineOf(name).includes(marker));
}

describe.each(['bubblewrap', 'process'] as const)('sandbox %s', (kind) => {
  let sandbox: DescribedSandbox;

  beforeAll(async () => {
    sandbox = await open(kind);
  });

  const run = (script: string, more: Partial<SandboxCommand> = {}, signal = new AbortController().signal) =>
    sandbox.run({ argv: ['/bin/sh', '-c', script], workspace, folder: '.', limits: LIMITS, ...more }, signal);

  it('should say what it is', () => {
    expect(sandbox.describe()).toMatchObject({ kind, bounds: expect.stringMatching(/^(cgroup v[12]|rlimits)$/) });
  });

  it('should give what a program printed and how it ended', async () => {
    const end = await run('cat; echo problem >&2; exit 3', { stdin: 'hällo\n' });
    expect(end).toMatchObject({ endedBy: 'exit', code: 3, stdout: 'hällo\n', stdoutTruncated: false });
    expect(end.output.split('\n').sort()).toEqual(['', 'hällo', 'problem']);
    expect(end).not.toHaveProperty('report');
  });

  it('should tell a signal that ended the program as a shell does', async () => {
    await expect(run('kill -SEGV $$')).resolves.toMatchObject({
      endedBy: 'exit',
      code: kind === 'process' ? null : 139,
    });
  });

  it('should begin in the folder, with an empty standard input', async () => {
    await mkdir(join(workspace, 'sub'));
    const end = await run('basename "$PWD"; wc -c', { folder: 'sub' });
    expect(end.stdout).toBe('sub\n0\n');
  });

  it('should throw away what is written', async () => {
    const end = await run('echo changed > kept.txt; echo new > new.txt; rm -f gone; cat kept.txt new.txt');
    expect(end.stdout).toBe('changed\nnew\n');
    await expect(readFile(join(workspace, 'kept.txt'), 'utf8')).resolves.toBe('kept');
    await expect(readdir(workspace)).resolves.toEqual(['kept.txt']);
  });

  it('should hand over the report, and only one that is a file', async () => {
    const report = '/tmp/report.xml';
    await expect(
      run(`echo '<ok/>' > ${kind === 'process' ? '$TMPDIR/report.xml' : report}`, { report }),
    ).resolves.toMatchObject({ report: '<ok/>\n' });
    await expect(run('echo empty >/dev/null', { report })).resolves.not.toHaveProperty('report');
    await expect(run('mkdir -p "$TMPDIR/report.xml"', { report })).resolves.not.toHaveProperty('report');
  });

  it('should take paths of the sandbox in arguments, variables and mounts', async () => {
    const tools = await mkdtemp(join(tmpdir(), 'dagi-tools-'));
    try {
      await writeFile(join(tools, 'greet'), '#!/bin/sh\ncat "$1" "$PLACE"', { mode: 0o755 });
      const end = await sandbox.run(
        {
          argv: ['greet', '/workspace/kept.txt'],
          workspace,
          folder: '.',
          env: { PLACE: '/workspace/kept.txt' },
          mounts: [{ source: tools, target: '/opt/tools' }],
          path: ['/opt/tools'],
          limits: LIMITS,
        },
        new AbortController().signal,
      );
      expect(end).toMatchObject({ code: 0, stdout: 'keptkept' });
    } finally {
      await rm(tools, { recursive: true });
    }
  });

  it('should show none of our variables', async () => {
    process.env.SANDBOX_SECRET = 'never-to-be-seen';
    try {
      expect((await run('env; cat /proc/self/environ')).output).not.toContain('never-to-be-seen');
    } finally {
      delete process.env.SANDBOX_SECRET;
    }
  });

  it('should stream what is printed while the program runs', async () => {
    const stop = new AbortController();
    const heard: ToolOutput[] = [];
    const command = { argv: ['/bin/sh', '-c', 'echo first; sleep 60'], workspace, folder: '.', limits: LIMITS };
    const ended = sandbox.run(command, stop.signal, (output) => heard.push(output));
    await until(() => heard.length > 0);
    stop.abort();
    await expect(ended).resolves.toMatchObject({ endedBy: 'cancelled', code: null, output: 'first\n' });
    expect(heard).toEqual([{ stream: 'stdout', text: 'first\n' }]);
  });

  it('should not start what was cancelled before', async () => {
    await expect(run('echo started', {}, AbortSignal.abort())).resolves.toMatchObject({
      endedBy: 'cancelled',
      output: '',
    });
  });

  it.each<[SandboxEnd['endedBy'], string, Partial<SandboxCommand['limits']>]>([
    ['timeout', "trap '' TERM; sleep 60", { timeoutMs: 300 }],
    ['memory', 'exec python3 -c "b = []\nwhile True: b.append(bytearray(1 << 22))"', { memoryBytes: 128 * MIB }],
    ['processes', 'for i in $(seq 40); do sleep 60 & done; wait', { processes: 20 }],
    ['output', 'yes', {}],
    ['space', 'for i in 1 2 3 4 5; do head -c 5000000 /dev/zero > part$i; done; sleep 60', { scratchBytes: 16 * MIB }],
  ])('should end a program for its %s', async (reason, script, limits) => {
    await expect(run(script, { limits: { ...LIMITS, ...limits } })).resolves.toMatchObject({
      endedBy: reason,
      code: null,
    });
  });

  it('should end a program for its time also while this process is too busy to look', async () => {
    const marker = String(6_000_000_000 + Math.floor(Math.random() * 1e9));
    const ended = run(`trap '' TERM; sleep ${marker}`, { limits: { ...LIMITS, timeoutMs: 500 } });
    await until(() => runsNow(`sleep\0${marker}`));
    const giveUpAt = Date.now() + 10_000;
    // Nothing of ours happens meanwhile: no timer, no watch.
    while (runsNow(`sleep\0${marker}`) && Date.now() < giveUpAt);
    expect(Date.now()).toBeLessThan(giveUpAt);
    await expect(ended).resolves.toMatchObject({ endedBy: 'timeout', code: null });
  });

  it('should show a workspace as it is to a program that only reads', async () => {
    const end = await run('cat /workspace/kept.txt', { readOnly: true });
    expect(end).toMatchObject({ code: 0, stdout: 'kept' });
  });

  it('should leave no process behind, whatever family it made for itself', async () => {
    const marker = String(4_000_000_000 + Math.floor(Math.random() * 1e9));
    await expect(
      run(`setsid sh -c "sleep ${marker} & sleep ${marker}" >/dev/null 2>&1 & sleep 0.3`),
    ).resolves.toMatchObject({ code: 0 });
    expect(await running(marker)).toEqual([]);
  });

  it.each(['a:b', 'a,b', 'a\\b', 'with space', '-x', 'ü', 'a\nb'])(
    'should work in a workspace named %j',
    async (name) => {
      const odd = join(workspace, name);
      await mkdir(odd);
      await writeFile(join(odd, 'file'), 'there');
      await expect(run('cat file', { workspace: odd })).resolves.toMatchObject({ code: 0, stdout: 'there' });
    },
  );

  it('should refuse a workspace that is not there', async () => {
    const gone = join(workspace, 'gone');
    await expect(run('true', { workspace: gone })).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
  });

  it('should leave no folder and no control group behind', async () => {
    await run('true');
    const own = `dagi-run-${process.pid}-`;
    expect((await readdir(tmpdir())).filter((name) => name.startsWith(own))).toEqual([]);
    const groups = await readFile('/proc/self/cgroup', 'utf8');
    for (const [, name = '', path = ''] of groups.matchAll(/^\d+:(memory|pids):(.*)$/gm)) {
      const names = await readdir(join('/sys/fs/cgroup', name, path)).catch(() => []);
      expect(names.filter((each) => each.startsWith(own))).toEqual([]);
    }
  });
});

describe('process', () => {
  it('should take what is mounted below /tmp under its own path for no part of the private /tmp', async () => {
    const sandbox = await open('process');
    const tool = join(workspace, 'tool');
    await writeFile(tool, '#!/bin/sh\necho "$1"', { mode: 0o755 });
    const mounts = [{ source: tool, target: tool }];
    const command = { argv: [tool, tool], workspace, folder: '.', mounts, limits: LIMITS };
    const end = await sandbox.run(command, new AbortController().signal);
    expect(end).toMatchObject({ code: 0, stdout: `${tool}\n` });
  });

  it('should be refused in production', async () => {
    expect((await open('process', true)).describe()).toEqual({
      kind: 'off',
      reason: expect.stringMatching(/production.*keys.*"bubblewrap"/),
    });
    expect((await open('process')).describe().reason).toContain('read the keys');
  });
});

describe('bubblewrap', () => {
  it.each(['node', 'python3', 'git'])('should run %s', async (program) => {
    const sandbox = await open('bubblewrap');
    const source = dirname(dirname(process.execPath));
    const argv = [program, '--version'];
    const mounts = [{ source, target: '/opt/node' }];
    const limits = { ...LIMITS, memoryBytes: 1_024 * MIB };
    const command = { argv, workspace, folder: '.', mounts, path: ['/opt/node/bin'], limits };
    await expect(sandbox.run(command, new AbortController().signal)).resolves.toMatchObject({ code: 0 });
  });

  it('should end with us, also when we are killed, and clear up at the next start', async () => {
    const marker = String(5_000_000_000 + Math.floor(Math.random() * 1e9));
    const child = spawn(process.execPath, [HOLD, 'bubblewrap', workspace, `sleep ${marker} & echo up; wait`]);
    await once(child.stderr, 'data');
    // The shell says so before the other process has become `sleep`.
    await until(async () => (await running(`sleep\0${marker}`)).length > 0);
    child.kill('SIGKILL');
    // The shell as well: while one of them ends, what bounded them cannot be cleared up.
    await until(async () => (await running(marker)).length === 0);
    await open('bubblewrap');
    const pattern = new RegExp(`^dagi-run-${child.pid}-`);
    const memory = /^\d+:memory:(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '';
    const names = await readdir(join('/sys/fs/cgroup/memory', memory)).catch(() => []);
    expect(names.filter((name) => pattern.test(name))).toEqual([]);
  });

  it('should not hand on what is open in this process without the mark that closes it', async () => {
    const secret = join(workspace, 'secret');
    await writeFile(secret, 'behind a descriptor');
    // A shell leaves descriptors open for its programs.
    const shell = `exec 9<"$1"; shift; exec "$@"`;
    const look = 'for fd in /proc/self/fd/*; do readlink $fd; done; cat <&9';
    const child = spawn('/bin/sh', ['-c', shell, 'sh', secret, process.execPath, HOLD, 'bubblewrap', workspace, look]);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    const end = JSON.parse(Buffer.concat(chunks).toString()) as SandboxEnd;
    expect(end.endedBy).toBe('exit');
    expect(end.output).not.toMatch(/secret|behind a descriptor/);
  });

  it('should say why programs cannot be run, and what to do', async () => {
    const program = join(workspace, 'bwrap');
    const text =
      '#!/bin/sh\n[ "$1" = --version ] && echo "bubblewrap 0.11.0" && exit\necho "bwrap: No permissions to create a new namespace" >&2; exit 1\n';
    await writeFile(program, text, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${workspace}:${path}`;
    try {
      const sandbox = await open('bubblewrap');
      expect(sandbox.describe()).toMatchObject({
        kind: 'off',
        reason: expect.stringMatching(/user namespaces.*"process"/s),
      });
      const command = { argv: ['true'], workspace, folder: '.', limits: LIMITS };
      const refused = sandbox.run(command, new AbortController().signal);
      await expect(refused).rejects.toMatchObject({
        code: 'SANDBOX_UNAVAILABLE',
        message: expect.stringContaining('namespace'),
      });
    } finally {
      process.env.PATH = path;
    }
  });

  it('should run nothing where it is switched off', async () => {
    const sandbox = await open('off');
    expect(sandbox.describe()).toEqual({ kind: 'off', reason: expect.any(String) });
    const command = { argv: ['true'], workspace, folder: '.', limits: LIMITS };
    const refused = sandbox.run(command, new AbortController().signal);
    await expect(refused).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
  });
});
