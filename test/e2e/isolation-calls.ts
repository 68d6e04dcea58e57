import {
  FILLINGS,
  NAMED_BY_EACH,
  QUERY,
  type Asker,
  type Filling,
  type Thing,
  type Things,
} from './isolation-routes.js';

/** A call of the walk. */
export interface Attempt {
  method: string;
  path: string;
  body?: object;
}

/** A call that names something of another DAO, and the same with something that is nowhere. */
export interface Twins {
  real: Attempt;
  invented: Attempt;
}

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
}

interface Schema {
  properties?: Record<string, Schema>;
  oneOf?: Schema[];
  anyOf?: Schema[];
}

/** Operations of the API's own description, by method and path as the router has them. */
export type Described = ReadonlyMap<string, Operation>;

/** Reads what `GET /openapi.json` answers. */
export function describedIn(document: object): Described {
  const { paths } = document as { paths: Record<string, Record<string, Operation>> };
  const named = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      operation,
    ]),
  );
  return new Map(named);
}

/** Things that are nowhere, each in the shape of one that is. */
export const NOWHERE: Things = {
  dao: 'no-such-dao',
  user: 'tg:no-such-user',
  member: 'p_00000000000000000000000000000000',
  request: '01890000-0000-7000-8000-000000000000',
  key: '01890000-0000-7000-8000-000000000001',
  leaving: 'p_00000000000000000000000000000001',
  role: 'no-such-role',
  invitation: '01890000-0000-7000-8000-000000000002',
  code: `inv_no-such-dao_${'A'.repeat(43)}`,
  proposal: '999999',
  crew: 'no_such_crew',
  newCrew: 'new_no_such_crew',
  run: '01890000-0000-7000-8000-000000000003',
};

const fieldsOf = ({ properties = {}, oneOf = [], anyOf = [] }: Schema): string[] => [
  ...new Set([...Object.keys(properties), ...[...oneOf, ...anyOf].flatMap(fieldsOf)]),
];

/** All choices of one value for each name; undefined leaves it out. */
function choices(options: [name: string, values: (string | undefined)[]][]): URLSearchParams[] {
  const all = options.reduce<[string, string][][]>(
    (lists, [name, values]) =>
      lists.flatMap((list) =>
        values.map((value) => (value === undefined ? list : [...list, [name, value] as [string, string]])),
      ),
    [[]],
  );
  return all.map((list) => new URLSearchParams(list));
}

/** A route with what it can be asked. */
export class WalkRoute {
  readonly method: string;
  readonly url: string;
  /** Under which name the table has it: a HEAD is as its GET. */
  readonly filledAs: string;
  private readonly operation: Operation | undefined;
  private readonly filling: Filling;

  constructor(
    readonly name: string,
    readonly access: string,
    described: Described,
  ) {
    [this.method = '', this.url = ''] = name.split(' ');
    this.filledAs = name.replace(/^HEAD /, 'GET ');
    this.operation = described.get(this.filledAs);
    this.filling = FILLINGS[this.filledAs] ?? {};
  }

  get query(): string[] {
    return this.parameters('query');
  }

  /** Whether its own DAO's admin may be refused it. */
  get isOfThePlatform(): boolean {
    return this.access === 'platform.admin';
  }

  /** When the DAO's own people come to it. */
  get turn(): number {
    return this.filling.turn ?? (this.method === 'DELETE' ? 9 : 5);
  }

  get refusedToOwner(): string | undefined {
    const { refusedToOwner } = this.filling;
    // A HEAD has no body that could tell the code.
    return this.method === 'HEAD' ? refusedToOwner?.split(' ')[0] : refusedToOwner;
  }

  /** What the table does not say. */
  gaps(): string[] {
    if (!(this.filledAs in FILLINGS)) return [`${this.filledAs} is in no table`];
    if (!this.operation) return [`${this.filledAs} is not described`];
    const { path = {} } = this.filling;
    const [, ...parameters] = this.url.split('/:').map((part) => part.split('/')[0] ?? '');
    const schema = this.operation.requestBody?.content['application/json'].schema;
    const filled = new Set(this.allBodies(NOWHERE, { dao: 'a', admin: 'b' }).flatMap((body) => Object.keys(body)));
    return [
      ...parameters.filter((name) => !(name in path)).map((name) => `${this.filledAs}: nothing for :${name}`),
      ...this.query.filter((name) => !(name in QUERY)).map((name) => `${this.filledAs}: nothing for ?${name}`),
      ...(schema ? fieldsOf(schema) : [])
        .filter((name) => !filled.has(name))
        .map((name) => `${this.filledAs}: no body has ${name}`),
    ];
  }

  /** Calls that name something of another DAO in at least one place. */
  namingOthers(things: Things, asker: Asker): Twins[] {
    const real = this.calls(things, asker);
    const invented = this.calls(NOWHERE, asker);
    return real.map((attempt, index) => ({ real: attempt, invented: invented[index] ?? attempt }));
  }

  /**
   * Calls that name nothing of another DAO's, but perhaps a person by the id of a platform.
   * @param own what the asking DAO has itself: it is read, and not changed
   */
  namingOwn(things: Things, own: Things, asker: Asker): Attempt[] {
    const { path, bodies, platformBodies, ownBodies } = this.filling;
    if (path && this.method !== 'GET' && this.method !== 'HEAD') return [];
    const plain = bodies || platformBodies ? [] : [undefined];
    return this.attempts(
      [this.pathWith(own)],
      this.queries(things, asker, [undefined, asker.dao]),
      ownBodies?.(things, asker) ?? plain,
    );
  }

  /** What people of the DAO can do with its own things: one call for each body. */
  byOwner(things: Things, asker: Asker): Attempt[] {
    const { bodies, ownBodies, ownerQuery } = this.filling;
    const dao = this.query.includes('dao_id') ? { dao_id: things.dao } : {};
    const query = new URLSearchParams({ ...dao, ...ownerQuery?.(things) });
    const filled = bodies?.(things, asker) ?? ownBodies?.(things, asker) ?? [undefined];
    return this.attempts([this.pathWith(things)], [query], filled);
  }

  private calls(things: Things, asker: Asker): Attempt[] {
    const filled = this.bodiesNaming(things, asker);
    const kinds = Object.values(this.filling.path ?? {});
    const paths = [this.pathWith(things)];
    // Something of theirs, as if it were one's own.
    if (kinds.includes('dao') && kinds.length > 1) paths.push(this.pathWith({ ...things, dao: asker.dao }));
    const inside = this.namesThem(kinds) ? this.queries(things, asker, [undefined, asker.dao]) : [];
    const across = this.query.includes('dao_id') ? this.queries(things, asker, [things.dao]) : [];
    return this.attempts(paths, [...inside, ...across], filled);
  }

  /** Whether a call names something of another DAO already, whatever its query says. */
  private namesThem(kinds: Thing[]): boolean {
    const { bodies, platformBodies } = this.filling;
    const byPath = kinds.some((kind) => !NAMED_BY_EACH.includes(kind));
    return byPath || (kinds.length === 0 && (bodies ?? platformBodies) !== undefined);
  }

  private bodiesNaming(things: Things, asker: Asker): (object | undefined)[] {
    const { bodies, platformBodies, ownBodies } = this.filling;
    const named = [bodies, platformBodies].flatMap((one) => one?.(things, asker) ?? []);
    return named.length > 0 ? named : (ownBodies?.(things, asker) ?? [undefined]);
  }

  private attempts(paths: string[], queries: URLSearchParams[], bodies: (object | undefined)[]): Attempt[] {
    return paths.flatMap((path) => queries.flatMap((query) => bodies.map((body) => this.attempt(path, query, body))));
  }

  private allBodies(things: Things, asker: Asker): object[] {
    const { bodies, platformBodies, ownBodies } = this.filling;
    return [bodies, platformBodies, ownBodies].flatMap((one) => one?.(things, asker) ?? []);
  }

  private parameters(place: string): string[] {
    return (this.operation?.parameters ?? []).filter((one) => one.in === place).map(({ name }) => name);
  }

  private pathWith(things: Things): string {
    const { path = {} } = this.filling;
    return this.url.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(things[path[name] ?? 'request']));
  }

  /** Queries: with this DAO or that, with this user or that, with and without all others. */
  private queries(things: Things, asker: Asker, daos: (string | undefined)[]): URLSearchParams[] {
    const values = (name: string): (string | undefined)[] => {
      const filler = QUERY[name];
      if (name === 'dao_id') return daos;
      if (name === 'user_id') return [undefined, things.user, asker.admin];
      if (this.filling.query?.[name] !== undefined) return [this.filling.query[name]];
      return [typeof filler === 'string' ? things[filler] : filler?.value];
    };
    const ids: string[] = this.query.filter((name) => name === 'dao_id' || name === 'user_id');
    const rest = this.query.filter((name) => !ids.includes(name));
    const alone = choices(ids.map((name) => [name, values(name)]));
    return rest.length === 0 ? alone : [...alone, ...choices(this.query.map((name) => [name, values(name)]))];
  }

  private attempt(path: string, query: URLSearchParams, body: object | undefined): Attempt {
    const { method } = this;
    const address = query.size > 0 ? `${path}?${query.toString()}` : path;
    return { method, path: address, ...(body && { body }) };
  }
}
