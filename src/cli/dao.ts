import { z } from 'zod';
import type { DagiClient } from './client.js';
import { ask, daoOf, invalid, part, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

const DaoSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  facts: z.record(z.string(), z.string()),
  profile: z.looseObject({ language: z.string().optional(), description: z.string().optional() }),
  settings: z.looseObject({}),
  limits: z.looseObject({}),
  version: z.string(),
  created_at: z.string(),
});
type Dao = z.infer<typeof DaoSchema>;

export interface CreateDaoOptions {
  name: string;
  /** Who becomes the first admin. */
  admin?: string;
  /** Facts, each as `NAME=TEXT`. */
  fact?: string[];
  description?: string;
  language?: string;
}

/** `dagi dao list`: the DAO of the key, or all of them for the administrator. */
export async function listDaos(client: DagiClient, { limit }: { limit?: number } = {}): Promise<Told> {
  const { entries, answer, more } = await readList(client, { path: '/daos', name: 'daos', entry: DaoSchema, limit });
  const rows = entries.map((dao) => [dao.id, dao.name, dao.profile.language ?? '', dao.version, dao.created_at]);
  return { answer, text: table(['id', 'name', 'language', 'version', 'since'], rows) + more };
}

/** `dagi dao create`: makes a DAO with the default roles, and its first admin. */
export async function createDao(client: DagiClient, id: string, options: CreateDaoOptions): Promise<Told> {
  const { name, admin, fact = [], description, language } = options;
  const body = {
    ...{ id, name, facts: Object.fromEntries(fact.map(assigned)) },
    ...{ profile: { ...(description !== undefined && { description }), ...(language !== undefined && { language }) } },
    ...(admin !== undefined && { admin }),
  };
  return told(await ask(client, 'POST', '/daos', { body }));
}

/** `dagi dao show`: a DAO with its facts, how it decides, and what it may use. */
export async function showDao(client: DagiClient, id?: string): Promise<Told> {
  return told(await ask(client, 'GET', `/daos/${part(await daoOf(client, id))}`));
}

/**
 * `dagi dao set`: changes a DAO by name; what is not named stays.
 * @param changes each as `name=TEXT`, `facts.NAME=TEXT`, `profile.NAME=TEXT`, `settings.NAME=JSON` or `limits.NAME=JSON`
 * @throws CliError `ARGUMENT_INVALID`, and those of the answer
 */
export async function setDao(
  client: DagiClient,
  id: string,
  changes: readonly string[],
  { ifVersion }: { ifVersion?: string } = {},
): Promise<Told> {
  return told(await ask(client, 'PATCH', `/daos/${part(id)}`, { body: changesOf(changes), version: ifVersion }));
}

type Read = (text: string, whole: string) => unknown;

/** Of what a DAO consists, and how a value of each is written. An empty one takes the name away. */
const GROUPS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['facts', (text) => text || null],
  ['profile', (text) => text || null],
  ['settings', readJson],
  ['limits', readJson],
]);

function changesOf(changes: readonly string[]): object {
  const groups = new Map<string, [string, unknown][]>();
  const plainFields: [string, unknown][] = [];
  for (const change of changes) {
    const [place, value] = assigned(change);
    if (place === 'name') {
      plainFields.push([place, value]);
      continue;
    }
    const [, group = '', name = ''] = /^(\w+)\.(.+)$/s.exec(place) ?? [];
    const read = GROUPS.get(group);
    if (!read) throw invalid(`${change}: say name=…, or NAME=… behind ${[...GROUPS.keys()].join('., ')}.`);
    groups.set(group, [...(groups.get(group) ?? []), [name, read(value, change)]]);
  }
  const grouped = [...groups].map(([group, all]): [string, unknown] => [group, Object.fromEntries(all)]);
  return Object.fromEntries<unknown>([...plainFields, ...grouped]);
}

function readJson(text: string, whole: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(`${whole}: it takes a number, true, false, or JSON; nothing behind the = takes it away.`);
  }
}

/** `NAME=TEXT` */
function assigned(text: string): [string, string] {
  const [, name, value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw invalid(`${text}: write it as NAME=TEXT.`);
  return [name.trim(), value];
}

function told(answer: unknown): Told {
  return { answer, text: printed(understood(DaoSchema, answer)) };
}

function printed({ id, name, version, created_at: since, ...dao }: Dao): string {
  const { facts, profile, settings, limits } = dao;
  const groups = Object.entries({ profile, settings, limits, facts }).filter(([, all]) => Object.keys(all).length > 0);
  const lines = groups.flatMap(([group, all]) => [
    group,
    ...Object.entries(all).map(
      ([key, value]) => `  ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
  ]);
  return plain(`${[`${id}: ${name}`, `version ${version}, since ${since}`, ...lines].join('\n')}\n`);
}
