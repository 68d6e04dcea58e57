// A host with something to lose: files outside, a workspace full of traps, a process, servers.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What must never be seen in a sandbox. */
export const SECRET = 'a-secret-of-the-host';

const SETTINGS = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/net/ipv4/ip_forward'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export async function openStage() {
  const folder = await mkdtemp(join(tmpdir(), 'dagi-escape-'));
  const workspace = join(folder, 'workspace');
  const outside = join(folder, 'outside');
  await Promise.all([mkdir(workspace), mkdir(outside)]);
  const tools = await plantTools(folder);
  // All may read it: what keeps a program from it is the sandbox alone.
  await writeFile(join(outside, 'secret.txt'), SECRET, { mode: 0o644 });
  await fillWorkspace(workspace, outside);
  const victim = spawn('sleep', ['1000'], { stdio: 'ignore', env: { PATH: '/usr/bin:/bin', SECRET } });
  const servers = await openServers(outside, workspace);
  const stage = { folder, workspace, outside, tools, victim, servers, marker: randomUUID(), before: undefined };
  stage.before = await look(stage);
  return stage;
}

/** A folder that is mounted, with one of the product in it, of which a part is mounted as well. */
async function plantTools(folder) {
  const shown = join(folder, 'tools');
  const product = join(shown, 'product');
  const part = join(product, 'part');
  await mkdir(join(part, 'home'), { recursive: true });
  await writeFile(join(shown, 'tool.txt'), 'a tool\n');
  await writeFile(join(part, 'needed.txt'), 'needed\n');
  for (const path of [join(product, 'key'), join(part, 'home', 'key'), join(shown, '.env')]) {
    await writeFile(path, SECRET, { mode: 0o644 });
  }
  return {
    hidden: [product, join(part, 'home'), join(shown, '.env')],
    mounts: [
      { source: shown, target: '/opt/tools' },
      { source: part, target: '/opt/tools/product/part' },
      // The same under its own path, as toolchains are.
      { source: shown, target: shown },
      { source: part, target: part },
    ],
  };
}

async function fillWorkspace(workspace, outside) {
  await writeFile(join(workspace, 'kept.txt'), 'kept');
  for (const name of ['--version', '-n']) await writeFile(join(workspace, name), 'just a file\n');
  await mkdir(join(workspace, '--ro-bind'));
  await mkdir(join(workspace, 'inner'));
  await writeFile(join(workspace, 'inner', 'secret.txt'), 'nothing\n');
  await symlink(join(outside, 'secret.txt'), join(workspace, 'leak'));
  await symlink(outside, join(workspace, 'leak-folder'));
  await symlink('inner', join(workspace, 'swapped'));
  await copyFile('/usr/bin/id', join(workspace, 'suid-id'));
  await chmod(join(workspace, 'suid-id'), 0o4755);
}

async function openServers(outside, workspace) {
  const seen = [];
  const listen = async (where) => {
    const server = createServer((socket) => {
      seen.push(where);
      // One that gets through may be gone before it has read.
      socket.on('error', () => {});
      socket.end(SECRET);
    });
    await new Promise((resolve) => server.listen(where, resolve));
    return server;
  };
  const abstract = `dagi-escape-${randomUUID()}`;
  const tcp = await listen({ port: 0, host: '::' });
  const all = [
    tcp,
    await listen({ path: join(workspace, 'socket') }),
    await listen({ path: join(outside, 'socket') }),
    await listen({ path: `\0${abstract}` }),
  ];
  return { all, seen, abstract, port: tcp.address().port };
}

/** Variables by which attempts know what to look for. */
export function targets({ folder, outside, victim, servers }) {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter(({ internal }) => !internal);
  return {
    OUTSIDE: join(outside, 'secret.txt'),
    HOST_HOME: outside,
    HOST_FOLDER: folder,
    HOST_PID: String(victim.pid),
    SOCKET_PATH: join(outside, 'socket'),
    ABSTRACT: servers.abstract,
    PORT: String(servers.port),
    ADDRESSES: addresses.map(({ address }) => address).join(' '),
  };
}

/** Puts links in each other's place while `work` goes on. */
export async function whileSwapping({ workspace, outside }, work) {
  const state = { done: false };
  const result = work().finally(() => (state.done = true));
  for (let round = 0; !state.done; round++) {
    await rm(join(workspace, 'swapped'), { force: true });
    await symlink(round % 2 ? outside : 'inner', join(workspace, 'swapped'));
  }
  return result;
}

/** All that a program must not have changed. */
async function look({ folder, workspace, outside, victim, servers, marker }) {
  const read = async (path) => readFile(path, 'utf8').catch(() => 'absent');
  const modes = DEVICES.map(async (name) => {
    const { mode, uid, gid } = await stat(`/dev/${name}`);
    return [name, mode, uid, gid].join(' ');
  });
  return {
    settings: await Promise.all(SETTINGS.map(read)),
    devices: await Promise.all(modes),
    files: await Promise.all([join(outside, 'secret.txt'), join(workspace, 'kept.txt')].map(read)),
    names: [(await readdir(folder)).sort(), (await readdir(workspace)).sort(), (await readdir(outside)).sort()],
    mode: (await stat(join(workspace, 'kept.txt'))).mode,
    victim: victim.exitCode === null && victim.signalCode === null,
    visits: servers.seen.length,
    leftProcesses: await leftProcesses(marker),
    leftGroups: await leftGroups(),
  };
}

async function leftProcesses(marker) {
  const found = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (variables.includes(marker)) found.push(pid);
    // Children of ours that were never buried.
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (status.includes(`PPid:\t${process.pid}\n`) && /^State:\s+Z/m.test(status)) found.push(`${pid} (zombie)`);
  }
  return found;
}

async function leftGroups() {
  const found = [];
  for (const controller of ['memory', 'pids', '']) {
    const own = (await readFile('/proc/self/cgroup', 'utf8'))
      .split('\n')
      .find((line) => line.split(':')[1] === controller);
    const folder = join('/sys/fs/cgroup', controller, own?.split(':')[2] ?? '');
    const names = await readdir(folder).catch(() => []);
    found.push(...names.filter((name) => name.startsWith(`dagi-run-${process.pid}-`)));
  }
  return found;
}

/** What an attempt changed on the host; empty where all is as it was. */
export async function harm(stage) {
  const now = await look(stage);
  const changed = Object.keys(now).filter((key) => JSON.stringify(now[key]) !== JSON.stringify(stage.before[key]));
  return changed.map((key) => `${key}: ${JSON.stringify(now[key])}`);
}

export async function closeStage({ folder, victim, servers }) {
  victim.kill('SIGKILL');
  for (const server of servers.all) server.close();
  await rm(folder, { recursive: true, force: true });
}
