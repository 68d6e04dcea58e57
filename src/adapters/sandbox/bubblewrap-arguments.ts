import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { normalize } from 'node:path';
import type { SandboxCommand, SandboxMount } from '../../contracts/devtools.js';
import { coverArguments } from './hidden.js';
import { mountArguments } from './mount-arguments.js';

/** Where the workspace is shown. */
export const WORKSPACE = '/workspace';

/** Descriptors that bubblewrap gets from us; only those below 4 reach the program. */
export const DESCRIPTORS = { report: 3, status: 4, arguments: 5, seccomp: 6, passwd: 7, group: 8, hosts: 9, nss: 10 };

/** Where programs of the system are looked for in the sandbox. */
export const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];
const TOP_FOLDERS = ['lib', 'lib32', 'lib64', 'libx32', 'bin', 'sbin'];

/** The few settings of the host that programs need and that tell nothing about it. */
const SETTINGS = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
  '/etc/crypto-policies',
];

/** What `/proc` tells about the whole machine, or what its owner could do with it. */
const MASKED = [
  'acpi',
  'cmdline',
  'iomem',
  'ioports',
  'kallsyms',
  'kcore',
  'key-users',
  'keys',
  'kmsg',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'latency_stats',
  'modules',
  'pagetypeinfo',
  'sched_debug',
  'scsi',
  'slabinfo',
  'timer_list',
  'vmallocinfo',
];

/** What every sandbox shows of the host; links such as `/lib` only lead to it. */
const systemFolders = (): SandboxMount[] =>
  ['/usr', ...TOP_FOLDERS.map((name) => `/${name}`), ...SETTINGS]
    .filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink())
    .map((path) => ({ source: path, target: path }));

/** Targets of mounts that would hide what the sandbox is made of. */
const TAKEN = /^\/(proc|dev|etc|usr|workspace|lib\w*|s?bin)?(\/|$)/;

/**
 * What bubblewrap is told on its descriptor for arguments, so that no path of the host is in its command line.
 * @param hidden files and folders of the host that are not to be seen, wherever they lie
 */
export function sandboxArguments(command: SandboxCommand, hidden: readonly string[] = []): string[] {
  const { mounts = [], workspace } = command;
  const { scratchBytes } = command.limits;
  const tmpfs = (target: string): string[] => ['--size', String(scratchBytes), '--tmpfs', target];
  return [
    ...ISOLATION,
    ...system(),
    ...['--proc', '/proc', ...masks(), '--dev', '/dev', ...tmpfs('/dev/shm'), ...tmpfs('/tmp'), '--dir', '/tmp/home'],
    ...workspaceOf(command),
    ...mounts.flatMap(mountArguments),
    ...coverArguments(hidden, [...systemFolders(), { source: workspace, target: WORKSPACE }], mounts),
    ...['--chdir', normalize(`${WORKSPACE}/${command.folder}`)],
    ...variables(command),
    ...readOnly(),
  ];
}

const ISOLATION = [
  ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'],
  // With a first process of its own bubblewrap would not wait for it: a zombie would be left to process 1 of the host.
  '--as-pid-1',
  ...['--cap-drop', 'ALL', '--hostname', 'sandbox'],
  ...['--json-status-fd', String(DESCRIPTORS.status), '--seccomp', String(DESCRIPTORS.seccomp)],
];

/** Read-only without an overlay: every look at a file through one costs several times as much. */
const workspaceOf = ({ workspace, readOnly: asItIs }: SandboxCommand): string[] =>
  asItIs ? ['--ro-bind', workspace, WORKSPACE] : ['--overlay-src', workspace, '--tmp-overlay', WORKSPACE];

function system(): string[] {
  const folders = TOP_FOLDERS.map((name) => `/${name}`).filter((path) => existsSync(path));
  return [
    ...['--ro-bind', '/usr', '/usr'],
    ...folders.flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    ),
    ...SETTINGS.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--ro-bind-data', String(DESCRIPTORS.passwd), '/etc/passwd'],
    ...['--ro-bind-data', String(DESCRIPTORS.group), '/etc/group'],
    ...['--ro-bind-data', String(DESCRIPTORS.hosts), '/etc/hosts'],
    ...['--ro-bind-data', String(DESCRIPTORS.nss), '/etc/nsswitch.conf'],
  ];
}

/** Files of `/etc` that we make up; users are the program's own and nobody. */
export function madeUpFiles(uid: number, gid: number): Readonly<Record<'passwd' | 'group' | 'hosts' | 'nss', string>> {
  const user = uid === 0 ? 'root' : 'sandbox';
  const nobody = uid === 65_534 ? '' : 'nobody:x:65534:65534::/nonexistent:/bin/false\n';
  return {
    passwd: `${user}:x:${uid}:${gid}::/tmp/home:/bin/sh\n${nobody}`,
    group: `${user}:x:${gid}:\n${gid === 65_534 ? '' : 'nogroup:x:65534:\n'}`,
    hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
    nss: 'passwd: files\ngroup: files\nhosts: files\n',
  };
}

/** A device bound without the right to devices: nobody can open it, for whichever user the sandbox runs. */
function masks(): string[] {
  const files = MASKED.map((name) => `/proc/${name}`).filter((path) => existsSync(path));
  return files.flatMap((path) =>
    lstatSync(path).isDirectory() ? ['--tmpfs', path, '--remount-ro', path] : ['--ro-bind', '/dev/null', path],
  );
}

function variables({ env, path }: SandboxCommand): string[] {
  const all = {
    HOME: '/tmp/home',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    PATH: [...(path ?? []), ...SYSTEM_PATH].join(':'),
    ...env,
  };
  return ['--clearenv', ...Object.entries(all).flatMap(([name, value]) => ['--setenv', name, value])];
}

/** Read-only in the end. `/proc`: root could write the host's settings below `/proc/sys`. */
const readOnly = (): string[] => ['/proc', '/dev', '/'].flatMap((path) => ['--remount-ro', path]);

/** Why a mount cannot be had; undefined where it can. */
export function mountProblem({ source, target, writable }: SandboxMount): string | undefined {
  if (![source, target].every((path) => path.startsWith('/') && normalize(path) === path)) {
    return `the mount of ${source} at ${target} needs whole paths`;
  }
  // A program could move what lies deeper, and with it what is looked at for what it has written.
  if (writable && !/^\/[^/]+$/.test(target)) return `${target} cannot be written, as it is not at the top`;
  // Shown there already, unless it lies in a folder that is covered.
  if (source === target && source.startsWith('/usr/')) return undefined;
  // Below the workspace a link of its owner could lead the mount elsewhere.
  return TAKEN.test(target) ? `nothing can be mounted at ${target}` : undefined;
}
