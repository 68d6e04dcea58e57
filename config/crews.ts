import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import stableStringify from 'safe-stable-stringify';
import type { CrewDefinition, JsonSchema } from '../src/contracts/crew.js';
import { storableJson } from '../src/contracts/text.js';
import { AppError } from '../src/errors/app-error.js';
import { Complaints, type Problem } from './complaints.js';
import { CrewCheck } from './crew-check.js';
import { bounded, type DataNode } from './crew-data-schema.js';
import { crewJsonSchema } from './crew-json-schema.js';
import type { Known } from './crew-known.js';
import { CrewSchema, usualHandoffs, type CrewFile, type CrewTask } from './crew-schema.js';
import { IssueTeller } from './explain-issues.js';
import { locate, nodeOf, plain, type Node } from './nodes.js';
import { packagePath } from './paths.js';
import type { JsonSchema as KeySchema } from './schema-keys.js';
import { readYaml } from './yaml-text.js';

export type { Problem } from './complaints.js';
export type { Known } from './crew-known.js';
export { crewWarnings } from './crew-warnings.js';

/** How places in what the API was sent are called; they are not told. */
const SENT = { file: '', line: 0, column: 0 };

/** Most complaints about the form of a crew: a body has room for thousands, and each takes a while to be put well. */
const MOST_TOLD = 100;

/** Made for the first complaint, as it takes longer than reading a crew. */
let keys: KeySchema | undefined;

function taskOf({
  writes_without_approval: writes,
  unapproved_writes: same,
  output,
  ...task
}: CrewTask): CrewDefinition['tasks'][string] {
  return { ...task, unapproved_writes: writes ?? same ?? false, output: { ...bounded(output) } };
}

/** A crew with everything filled in that its file leaves out. */
function definitionOf({ inputs, tasks, max_handoffs: handoffs, ...crew }: CrewFile): CrewDefinition {
  const filled = Object.entries(tasks).map(([id, task]) => [id, taskOf(task)] as const);
  return {
    ...crew,
    inputs: { ...bounded(inputs) },
    tasks: Object.fromEntries(filled),
    max_handoffs: handoffs ?? usualHandoffs(tasks),
  };
}

/** The crew that nodes say; undefined: the complaints say why not. */
function read(root: Node, known: Known, complaints: Complaints): CrewDefinition | undefined {
  const parsed = CrewSchema.safeParse(plain(root));
  if (!parsed.success) {
    keys ??= crewJsonSchema();
    new IssueTeller(root, complaints, keys).tell(parsed.error.issues.slice(0, MOST_TOLD));
    return undefined;
  }
  new CrewCheck(parsed.data, known, (path, reason) => {
    complaints.add(locate(root, path).at, path, reason);
  }).run();
  return complaints.any ? undefined : definitionOf(parsed.data);
}

/** What came of a crew that was sent. */
export type ReadCrew = { definition: CrewDefinition } | { problems: Problem[] };

/** Reads a crew that the API was sent. Problems come with paths, such as `tasks.plan.needs[0]`. */
export function readCrew(data: unknown, known: Known = {}): ReadCrew {
  const complaints = new Complaints();
  try {
    const definition = read(nodeOf(storableJson(data), SENT), known, complaints);
    return definition ? { definition } : { problems: complaints.problems() };
  } catch (error) {
    if (error instanceof RangeError) return { problems: [{ path: '', message: error.message }] };
    throw error;
  }
}

/**
 * Reads a crew from the text of a file, YAML or JSON.
 * @param file how complaints call it
 * @throws AppError `CONFIG_INVALID` whose lines are `file:line:column: path: reason`
 */
export function readCrewText(text: string, file: string, known: Known = {}): CrewDefinition {
  const root = readYaml(text, file);
  const complaints = new Complaints();
  if (root.kind !== 'map') Complaints.refuse(root.at, [], 'expected the keys of a crew, such as `id`');
  const definition = read(root, known, complaints);
  complaints.throwIfAny();
  if (!definition) throw new Error('unreachable');
  return definition;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'the file is not there' : `the file cannot be read (${code})`;
    throw new AppError('CONFIG_INVALID', `${file}: ${what}: put it there, or name another.`);
  }
}

/**
 * Reads the file of a crew.
 * @throws AppError `CONFIG_INVALID` whose lines are `file:line:column: path: reason`
 */
export function readCrewFile(path: string, known: Known = {}): CrewDefinition {
  const file = resolve(path);
  return readCrewText(textOf(file), file, known);
}

/** The crews that come along, by their ids. @throws AppError `CONFIG_INVALID` */
export const loadShippedCrews = (): CrewDefinition[] =>
  readdirSync(packagePath('config', 'crews'))
    .filter((entry) => entry.endsWith('.yml'))
    .toSorted()
    .map((entry) => readCrewFile(packagePath('config', 'crews', entry)));

/** Names of a schema's parts in their order, which models follow. */
function orderOf({ properties = {}, items }: DataNode): unknown[] {
  return [
    ...Object.entries(properties).map(([name, part]) => [name, ...orderOf(part)]),
    ...(items ? [orderOf(items)] : []),
  ];
}

const partsOf = (schema: JsonSchema): unknown[] => orderOf(schema);

/**
 * The version of a definition: the first 16 digits of a SHA-256. The order of keys does not count, but that of tasks,
 * of names in the result, and of parts in schemas, as each of them means something.
 */
export function crewVersion(definition: CrewDefinition): string {
  const { inputs, tasks, result } = definition;
  const schemas = [inputs, ...Object.values(tasks).map(({ output }) => output)];
  const order = [Object.keys(tasks), Object.keys(result), schemas.map(partsOf)];
  return createHash('sha256')
    .update(stableStringify([definition, order]))
    .digest('hex')
    .slice(0, 16);
}
