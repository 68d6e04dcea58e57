/**
 * What the isolation walk fills into each route. A new route needs a line here; so do a new parameter of a query and a
 * new field of a body that names something: the walk fails until they have one.
 */

/** What belongs to one DAO, by what it is. */
export interface Things {
  dao: string;
  /** A member who is known nowhere else. */
  user: string;
  member: string;
  request: string;
  key: string;
}

/** The kinds of them; each is a value that can stand in an address or in a body. */
export type Thing = keyof Things;

/** Who asks, where a body may name them. */
export interface Asker {
  /** The DAO whose key is used. */
  dao: string;
  /** An admin there. */
  admin: string;
}

export interface Filling {
  /** Parameters of the path. */
  path?: Readonly<Record<string, Thing>>;
  /** Bodies that name something of another DAO, each in a way of its own. */
  bodies?: (things: Things, asker: Asker) => object[];
  /**
   * Bodies that name nothing but an id of a platform, which is the same everywhere: they may be answered, and nothing of
   * the other DAO may be in the answer.
   */
  ownBodies?: (things: Things, asker: Asker) => object[];
  /** The DAO's own admin is refused too, with this outcome: because the thing is in a state that forbids it. */
  refusedToOwner?: string;
}

const WHATIF_TABLE = {
  ...{ rules: [], answers: [], providers: {}, requestTimeoutMs: 1_000, weights: {}, hash: '0123456789abcdef' },
};

/** By method and path, as the router has them. HEAD is as GET. */
export const FILLINGS: Readonly<Record<string, Filling>> = {
  'GET /health': {},
  'GET /ready': {},
  'GET /config': {},
  'POST /config/reload': {},
  'POST /config/apply': { ownBodies: () => [{ confirm: '0123456789abcdef' }] },
  'GET /providers': {},
  'GET /routing': {},
  'GET /routing/explain': {},
  'GET /usage': {},
  'POST /routing/whatif': {
    ownBodies: () => [{ table: WHATIF_TABLE, since: '2026-01-01T00:00:00Z', limit: 9, trials: 1 }],
  },
  'POST /routing/whatif/trials': { bodies: ({ request }) => [{ request_id: request, provider: 'fake' }] },
  'POST /route': {
    bodies: ({ dao, user }, { admin }) => [
      { prompt: 'Hello', mode: 'chat', metadata: { dao_id: dao } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: user, session_id: 'shared', source: 'telegram' } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: admin } },
      { message: 'Hello', payload: { dao_id: dao }, agent: 'any' },
      { message: 'Hello', dao_id: dao, user_id: admin, session_id: 'shared', source: 'telegram' },
    ],
    ownBodies: ({ user }, { dao, admin }) => [
      { prompt: 'Hello', metadata: { user_id: user } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: admin, session_id: 'shared' } },
      { prompt: 'Who are we?', metadata: { user_id: admin, session_id: 'shared' } },
    ],
  },
  'GET /requests/:id': { path: { id: 'request' } },
  'GET /requests/:id/events': { path: { id: 'request' } },
  'DELETE /requests/:id': { path: { id: 'request' }, refusedToOwner: '409 REQUEST_ENDED' },
  'GET /keys': {},
  'POST /keys': {
    bodies: ({ dao, user }, { admin }) => [
      { name: 'planted', dao_id: dao },
      { name: 'planted', dao_id: dao, principal: user },
      { name: 'planted', dao_id: dao, principal: admin },
    ],
    ownBodies: ({ user }, { dao }) => [{ name: 'planted', dao_id: dao, principal: user }],
  },
  'DELETE /keys/:id': { path: { id: 'key' } },
};

/** What a parameter of a query is filled with: something of the other DAO, or a value that names nothing. */
export const QUERY: Readonly<Record<string, Thing | { value: string }>> = {
  dao_id: 'dao',
  user_id: 'user',
  prompt: { value: 'Hello' },
  mode: { value: 'chat' },
  agent: { value: 'any' },
  source: { value: 'telegram' },
  metadata: { value: '{}' },
  from: { value: '2026-01-01' },
  to: { value: '2026-12-31' },
  by: { value: 'day' },
};
