import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Field {
  name: string;
  types: string[];
  required: boolean;
}

/** A type of the Bot API: what it consists of, or what it can be one of. */
interface Described {
  fields?: Field[];
  subtypes?: string[];
}

interface BotApi {
  methods: Partial<Record<string, { returns: string[]; fields: Field[] }>>;
  types: Partial<Record<string, Described>>;
}

/** Parameters of a call, as they came. */
export type Params = Readonly<Record<string, unknown>>;

const FIXTURE = join(import.meta.dirname, '..', '..', 'fixtures', 'telegram-bot-api.json');
const API = JSON.parse(readFileSync(FIXTURE, 'utf8')) as BotApi;
const LIST = 'Array of ';

const PLAIN: Partial<Record<string, (value: unknown) => boolean>> = {
  Integer: (value) => Number.isSafeInteger(value),
  Float: (value) => typeof value === 'number',
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  // Files come in forms, which this fake does not read.
  InputFile: () => false,
};

const isObject = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectProblems(path: string, value: Params, fields: readonly Field[]): string[] {
  const known = new Set(fields.map(({ name }) => name));
  const unknown = Object.keys(value).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `${path}${name}: unknown`),
    ...fields.flatMap(({ name, types, required }) => {
      if (value[name] !== undefined) return problemsOfAny(`${path}${name}`, value[name], types);
      return required ? [`${path}${name}: missing`] : [];
    }),
  ];
}

/** Of the type that comes nearest. */
function problemsOfAny(path: string, value: unknown, types: readonly string[]): string[] {
  const found = types.map((type) => problemsOfType(path, value, type));
  return found.reduce((best, next) => (next.length < best.length ? next : best), found[0] ?? []);
}

function problemsOfType(path: string, value: unknown, type: string): string[] {
  if (type.startsWith(LIST)) {
    if (!Array.isArray(value)) return [`${path}: no list`];
    return value.flatMap((item, index) => problemsOfType(`${path}[${index}]`, item, type.slice(LIST.length)));
  }
  const plain = PLAIN[type];
  if (plain) return plain(value) ? [] : [`${path}: no ${type}`];
  const described = API.types[type];
  if (!described) throw new Error(`The fixture has no type ${type}`);
  if (described.subtypes) return problemsOfAny(path, value, described.subtypes);
  if (!isObject(value)) return [`${path}: no ${type}`];
  return objectProblems(`${path}.`, value, described.fields ?? []);
}

/** What is wrong with the parameters of a call, judged by the published description; undefined: there is no such method. */
export function problemsOf(method: string, params: Params): string[] | undefined {
  const described = Object.hasOwn(API.methods, method) ? API.methods[method] : undefined;
  return described && objectProblems('', params, described.fields);
}
