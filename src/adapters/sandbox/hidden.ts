import { lstatSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SandboxMount } from '../../contracts/devtools.js';
import { mountArguments } from './mount-arguments.js';

/** Folders of the system that no sandbox can do without, whoever works in one of them. */
const NEEDED = /^\/(usr(\/(local\/)?(s?bin|lib\w*|share|libexec))?|usr\/local|lib\w*|s?bin|etc)?$/;

/** Of a folder that covers another: nothing is written to it but the places of mounts. */
const COVER_BYTES = 1_048_576;

/**
 * Options for bubblewrap that cover what is not to be seen though it lies below something that is shown. What a command
 * asks for out of a covered folder is shown again, and again covered where that holds something hidden.
 * @param hidden files and folders of the host; those that are not there are left out
 * @param system what every sandbox shows
 * @param mounts what the command asks for, already shown
 */
export function coverArguments(
  hidden: readonly string[],
  system: readonly SandboxMount[],
  mounts: readonly SandboxMount[],
): string[] {
  const secrets = [...new Set(hidden.map(realOf))].filter((path) => path !== undefined && !NEEDED.test(path));
  const args: string[] = [];
  const covered = new Set<string>();
  let shown = [...system, ...mounts];
  while (shown.length > 0) {
    const covers = coversOf(secrets as string[], shown);
    args.push(...covers.flatMap(coverOf));
    for (const { target } of covers) covered.add(target);
    shown = mounts.filter(({ target }) => covers.some((cover) => isBelow(target, cover.target, true)));
    args.push(...shown.flatMap(mountArguments));
  }
  // In the end, as the places of mounts have to be made in them.
  return [...args, ...[...covered].flatMap((path) => ['--remount-ro', path])];
}

/** What of the hidden is seen through what is shown, as mounts of it; those higher up first. */
function coversOf(secrets: readonly string[], shown: readonly SandboxMount[]): SandboxMount[] {
  const found = shown.flatMap(({ source, target }) => {
    const real = realOf(source) ?? source;
    const inside = secrets.filter((path) => isBelow(path, real));
    return inside.map((path) => [join(target, relative(real, path)), path] as const);
  });
  const byTarget = [...new Map(found)].map(([target, source]) => ({ target, source }));
  return byTarget.toSorted((one, other) => one.target.length - other.target.length);
}

/** A device that is bound without the right to devices takes the place of a file: nobody can open it. */
const coverOf = ({ source, target }: SandboxMount): string[] =>
  lstatSync(source).isDirectory()
    ? ['--size', String(COVER_BYTES), '--tmpfs', target]
    : ['--ro-bind', '/dev/null', target];

function isBelow(path: string, folder: string, orItself = false): boolean {
  return (orItself && path === folder) || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
