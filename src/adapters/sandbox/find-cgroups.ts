import { constants } from 'node:fs';
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { CgroupFolders } from './cgroup-bounds.js';
import { readStat } from './process-figures.js';

/** Where we put ourselves in version 2: a group with groups of its own may hold no processes. */
const OURS = 'dagi-main';

/** What the kernel tells about our control groups: `/proc/self/cgroup` and `/proc/self/mountinfo`. */
export interface CgroupFacts {
  groups: string;
  mounts: string;
}

interface Mount {
  point: string;
  /** Path, in the hierarchy, of what is mounted. */
  root: string;
  type: string;
  options: string[];
}

/** The facts of this process. */
export async function readCgroupFacts(): Promise<CgroupFacts> {
  const [groups, mounts] = await Promise.all([
    readFile('/proc/self/cgroup', 'utf8'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return { groups, mounts };
}

/**
 * Folders below which this process may make control groups that bound memory and processes; undefined where there are
 * none. With version 2 the processes of our own group are moved into one below it, if they are all our kin.
 */
export async function findCgroups(facts: CgroupFacts): Promise<CgroupFolders | undefined> {
  const mounts = parseMounts(facts.mounts);
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  const second = unified && (await ownFolder(unified, pathOf(facts.groups, '')));
  if (second !== undefined && (await delegate(second))) {
    const base = baseOf(second);
    return { version: 2, memory: base, pids: base };
  }
  const [memory, pids] = await Promise.all(['memory', 'pids'].map((name) => firstVersion(mounts, facts, name)));
  return memory === undefined || pids === undefined ? undefined : { version: 1, memory, pids };
}

async function firstVersion(mounts: Mount[], { groups }: CgroupFacts, name: string): Promise<string | undefined> {
  const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(name));
  const folder = mount && (await ownFolder(mount, pathOf(groups, name)));
  return folder !== undefined && (await isWritable(folder)) ? folder : undefined;
}

/** `36 35 98:0 /root /mnt rw,noatime shared:1 - type source options`; field 3 is the root, field 4 the place. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root, point] = left.split(' ');
    const [type, , options = ''] = right.split(' ');
    return root && point && type ? [{ root, point, type, options: options.split(',') }] : [];
  });
}

/** Our group in the hierarchy of a controller, or in the one of version 2, whose lines name none. */
function pathOf(groups: string, controller: string): string {
  for (const line of groups.split('\n')) {
    const [, names = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? ['', '-'];
    if (controller === '' ? names === '' : names.split(',').includes(controller)) return path;
  }
  return '/';
}

/** In a container only a part of the hierarchy may be mounted, and our path may be told as it is outside. */
async function ownFolder({ point, root }: Mount, path: string): Promise<string | undefined> {
  const below = relative(root, path);
  const places = below.startsWith('..') ? [point] : [join(point, below), point];
  for (const place of places) if ((await stat(place).catch(() => undefined))?.isDirectory()) return place;
  return undefined;
}

const baseOf = (folder: string): string => (basename(folder) === OURS ? dirname(folder) : folder);

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Lets groups below ours have the controllers for memory and processes. */
async function delegate(own: string): Promise<boolean> {
  const base = baseOf(own);
  const here = (await readFile(join(base, 'cgroup.controllers'), 'utf8').catch(() => '')).trim().split(' ');
  if (!here.includes('memory') || !here.includes('pids') || !(await isWritable(base))) return false;
  const enable = async (): Promise<void> => writeFile(join(base, 'cgroup.subtree_control'), '+memory +pids');
  try {
    await enable();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || !(await moveKin(base))) return false;
    return enable().then(
      () => true,
      () => false,
    );
  }
  return true;
}

/** Moves the processes of a group into one below it; only if each is of our family, so that no stranger is moved. */
async function moveKin(base: string): Promise<boolean> {
  const members = (await readFile(join(base, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number);
  const ancestors = await ancestorsOf(process.pid);
  for (const pid of members) {
    const isKin = ancestors.includes(pid) || (await ancestorsOf(pid)).includes(process.pid);
    if (!isKin) return false;
  }
  try {
    await mkdir(join(base, OURS), { recursive: true });
    for (const pid of members) await writeFile(join(base, OURS, 'cgroup.procs'), String(pid));
    return true;
  } catch {
    return false;
  }
}

/** A process and those that it comes from. */
async function ancestorsOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = (await readStat('/proc', at))?.parent) {
    found.push(at);
  }
  return found;
}
