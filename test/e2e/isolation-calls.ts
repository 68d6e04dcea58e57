import { FILLINGS, QUERY, type Asker, type Filling, type Thing, type Things } from './isolation-routes.js';

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

  get refusedToOwner(): string | undefined {
    return this.filling.refusedToOwner;
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

  /** Calls that name nothing of another DAO's, but perhaps a person by the id of a platform. */
  namingOwn(things: Things, asker: Asker): Attempt[] {
    if (this.filling.path) return [];
    const bodies = this.filling.ownBodies?.(things, asker) ?? (this.filling.bodies ? [] : [undefined]);
    return this.queries(things, asker, [undefined, asker.dao]).flatMap((query) =>
      bodies.map((body) => this.attempt(this.url, query, body)),
    );
  }

  /** What an admin of the DAO can do with its own things: one call for each body. */
  byOwner(things: Things, asker: Asker): Attempt[] {
    const query = new URLSearchParams(this.query.includes('dao_id') ? { dao_id: things.dao } : {});
    const bodies = this.filling.bodies?.(things, asker) ?? this.filling.ownBodies?.(things, asker) ?? [undefined];
    return bodies.map((body) => this.attempt(this.pathWith(things), query, body));
  }

  private calls(things: Things, asker: Asker): Attempt[] {
    const { path, bodies, ownBodies } = this.filling;
    const named = bodies?.(things, asker) ?? [];
    const plain = path ? [undefined] : (ownBodies?.(things, asker) ?? [undefined]);
    const address = this.pathWith(things);
    const inside = this.queries(things, asker, [undefined, asker.dao]);
    const across = this.query.includes('dao_id') ? this.queries(things, asker, [things.dao]) : [];
    const attempts = (queries: URLSearchParams[], list: (object | undefined)[]): Attempt[] =>
      queries.flatMap((query) => list.map((body) => this.attempt(address, query, body)));
    return [
      ...attempts(path || bodies ? inside : [], bodies ? named : plain),
      ...attempts(across, bodies ? named : plain),
    ];
  }

  private allBodies(things: Things, asker: Asker): object[] {
    const { bodies, ownBodies } = this.filling;
    return [...(bodies?.(things, asker) ?? []), ...(ownBodies?.(things, asker) ?? [])];
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
      const filler = QUERY[name] as Thing | { value: string };
      if (name === 'dao_id') return daos;
      if (name === 'user_id') return [undefined, things.user, asker.admin];
      return [typeof filler === 'string' ? things[filler] : filler.value];
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
