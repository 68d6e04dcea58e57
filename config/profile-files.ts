import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { AppError } from '../src/errors/app-error.js';
import { Complaints, type Position } from './complaints.js';
import { mergeProfiles } from './merge.js';
import { hint, quoted } from './nearest.js';
import type { MapNode, Node } from './nodes.js';
import { packagePath } from './paths.js';
import { readYaml } from './yaml-text.js';

/** The profile that others extend; its answers are everybody's who has none. */
const BASE = 'base';

/** Most files that one may stand on. */
const MOST_BASES = 5;

/** A profile as its files say it, before variables are put in. */
export interface ProfileText {
  root: MapNode;
  file: string;
  /** Absolute paths of all files that were read, the profile's own first. */
  files: string[];
}

const shipped = (name: string): string => packagePath('config', 'profiles', `${name}.yml`);

/** Profiles that come along. `base` can be extended and is none by itself. */
const shippedNames = (): string[] =>
  readdirSync(packagePath('config', 'profiles')).map((entry) => basename(entry, '.yml'));

/** The file of a profile: a name of `config/profiles`, or a path, relative to `folder`. */
export function profileFile(profile: string, folder = process.cwd()): string {
  return isPath(profile) ? resolve(folder, profile) : shipped(profile);
}

/** What a file says, or the code of why it cannot be read. */
function readText(file: string): { text: string } | { code: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'unknown error' };
  }
}

/** Whether a profile is called by its file, and not by the name of one that comes along. */
const isPath = (profile: string): boolean => isAbsolute(profile) || /[/\\]|\.(ya?ml|json)$/.test(profile);

/** The top of a profile must be a map. */
export function asProfile(node: Node): MapNode {
  return node.kind === 'map'
    ? node
    : Complaints.refuse(node.at, [], 'expected the keys of a profile, such as `version`');
}

/** Takes `extends` out of a file, with where it stands. */
function takeBase(root: MapNode): { own: MapNode; base?: { name: string; at: Position } } {
  const entry = root.entries.get('extends');
  if (!entry) return { own: root };
  const { node } = entry;
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '' || node.value.includes('${')) {
    const reason = 'expected a file beside this one or the name of a profile that comes along, without variables';
    return Complaints.refuse(entry.at, ['extends'], reason);
  }
  const entries = new Map(root.entries);
  entries.delete('extends');
  return { own: { ...root, entries }, base: { name: node.value, at: node.at } };
}

/** Reads the file that another extends. */
function readBase(name: string, at: Position, files: readonly string[]): ProfileText {
  const file = profileFile(name, dirname(at.file));
  if (files.includes(file)) Complaints.refuse(at, ['extends'], 'the files extend each other in a circle');
  if (files.length > MOST_BASES)
    Complaints.refuse(at, ['extends'], `more than ${MOST_BASES} files stand on each other`);
  const read = readText(file);
  if ('code' in read) {
    const known = shippedNames();
    const reason = `there is no file ${quoted(name)} beside this one, and profiles that come along are ${known.join(', ')}`;
    return Complaints.refuse(at, ['extends'], reason + hint(name, known));
  }
  return extend(asProfile(readYaml(read.text, file)), file, [...files, file]);
}

/** A file's content over that of the files that it extends. */
function extend(root: MapNode, file: string, files: string[]): ProfileText {
  const { own, base } = takeBase(root);
  if (!base) return { root: own, file, files };
  const below = readBase(base.name, base.at, files);
  return { root: mergeProfiles(below.root, own), file, files: below.files };
}

/** A profile that says nothing about `answers` has those of the shipped `base.yml`. */
function withAnswers(profile: ProfileText): ProfileText {
  if (profile.root.entries.has('answers')) return profile;
  const file = shipped(BASE);
  const answers = asProfile(readYaml(readFileSync(file, 'utf8'), file)).entries.get('answers');
  if (!answers) return profile;
  const root = { ...profile.root, entries: new Map(profile.root.entries).set('answers', answers) };
  return { ...profile, root, files: [...new Set([...profile.files, file])] };
}

/** A profile from its text, with the files that it extends. */
export function readProfileText(text: string, file: string): ProfileText {
  return withAnswers(extend(asProfile(readYaml(text, file)), file, [file]));
}

function unreadable(file: string, code: string): AppError {
  const what = code === 'ENOENT' ? 'the file is not there' : `the file cannot be read (${code})`;
  return new AppError('CONFIG_INVALID', `${file}: ${what}: put it there, or name another.`);
}

/**
 * Reads a profile and the files that it extends.
 * @param profile a name of `config/profiles`, or a path
 * @throws AppError `CONFIG_INVALID`
 */
export function readProfile(profile: string): ProfileText {
  const file = profileFile(profile);
  const read = readText(file);
  if ('text' in read) return readProfileText(read.text, file);
  if (isPath(profile)) throw unreadable(file, read.code);
  const known = shippedNames().filter((name) => name !== BASE);
  throw new AppError(
    'CONFIG_INVALID',
    `There is no profile ${quoted(profile)}. Choose one of ${known.join(', ')}, or a file${hint(profile, known) || '.'}`,
  );
}
