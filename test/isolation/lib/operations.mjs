// What somebody does in a DAO: drawn by chance from what they know of it, from what others have, and from what is nowhere.

/** Persons of both DAOs: the same ids, with other roles in each. Each DAO's first admin, tg:1, is left alone. */
const USERS = Array.from({ length: 12 }, (_, n) => `${n % 4 === 3 ? 'dc' : 'tg'}:${n + 2}`);
const ROLES = ['admin', 'member', 'contributor', 'guest', 'keeper'];
const CUSTOM = ['keeper', 'scribe', 'r1', 'r2', 'r3'];
const ENTITLEMENTS = [
  'chat.read',
  'chat.write',
  'agent.crew',
  'proposal.vote',
  'member.invite',
  'audit.read',
  'ops.read',
  'key.manage',
];
const PROMPTS = [
  'What do we grow?',
  'what is our budget',
  'What is our budget',
  'Who may vote?',
  'Tell me more.',
  'Hello',
];
const FACTS = ['purpose', 'budget', 'kitchen', 'language'];
const SESSIONS = ['s1', 's2', undefined, undefined, undefined];
const NOBODY = 'p_00000000000000000000000000000000';
const NOWHERE = { member: NOBODY, linked: `${NOBODY}/ids/tg%3A9`, other: '01890000-0000-7000-8000-000000000000' };

/** A day of the run, as queries name it. */
const day = (n) => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10);

/** Draws for one operation. */
export class Draw {
  /** @param {() => number} random */
  constructor(random, state) {
    this.random = random;
    this.state = state;
  }

  below(count) {
    return Math.floor(this.random() * count);
  }

  chance(share) {
    return this.random() < share;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  some(list) {
    return list.filter(() => this.chance(0.4));
  }

  /** One of these, or nothing. */
  maybe(share, make) {
    return this.chance(share) ? make() : undefined;
  }

  user() {
    return this.of(USERS);
  }

  /** The DAO that is meant: nearly always the own one. */
  dao() {
    return this.chance(0.94) ? this.state.dao : this.of([this.state.other, 'no-such-dao']);
  }

  /** An id of this kind: known, of the other DAO, or nowhere. */
  id(kind) {
    const known = this.state.known[kind].filter((one) => one !== this.state.firstAdmin);
    const foreign = this.state.foreign[kind] ?? [];
    const nowhere = NOWHERE[kind] ?? NOWHERE.other;
    if (known.length > 0 && this.chance(0.85)) return this.of(known);
    return foreign.length > 0 && this.chance(0.7) ? this.of(foreign) : nowhere;
  }

  text(about) {
    return `${about} of ${this.state.dao} ${this.below(1_000)}${this.state.flavour}`;
  }

  /** A key that was made at the beginning, by what it is; now and then one that was made since. */
  key(...kinds) {
    const made = this.state.known.secret;
    if (made.length > 0 && this.chance(0.06)) return this.of(made);
    return this.state.keys[this.of(kinds)];
  }

  admin() {
    return this.key('admin', 'admin', 'admin', 'admin', 'member');
  }

  /** The platform gives the DAO another limit. */
  limits() {
    const limits = { weight: this.of([0.5, 2, null]), tokens_per_month: this.of([500_000, 3_000_000, null]) };
    return { key: this.state.keys.platform, url: `/daos/${this.state.dao}`, body: { limits } };
  }

  anybody() {
    return this.key('admin', 'member', 'contributor', 'guest', 'gateway');
  }
}

const query = (url, fields) => {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? url : `${url}?${new URLSearchParams(given)}`;
};
const page = (draw, kind) => ({
  limit: draw.maybe(0.4, () => 1 + draw.below(20)),
  after: kind && draw.maybe(0.2, () => draw.id(kind)),
});
const acting = (draw) => ({
  dao_id: draw.maybe(0.3, () => draw.dao()),
  user_id: draw.maybe(0.1, () => draw.user()),
});
/** For keys of all DAOs a DAO has to be named. */
const inDao = (draw) => ({ dao_id: draw.dao() });
const withIds = ({ metadata, ...body }, dao, user) => ({
  ...body,
  metadata: { ...metadata, dao_id: dao, user_id: user },
});
const ifMatch = (draw) => (draw.chance(0.15) ? { headers: { 'if-match': `"${1 + draw.below(6)}"` } } : {});
const learnIds = (kind, list) => (state, body) => {
  for (const one of list ? (body[list] ?? []) : [body]) if (typeof one.id === 'string') state.learn(kind, one.id);
};

/**
 * By route: how often, the call, and what is learned from an answer to it.
 * @typedef {object} Operation
 * @property {number} weight
 * @property {(draw: Draw) => object} make
 * @property {(state: object, body: any) => void} [learn]
 * @property {[share: number, (draw: Draw, call: object) => object][]} [variants] what is put in place of parts, how often
 * @type {Record<string, Operation>}
 */
export const OPERATIONS = {
  'POST /route': {
    weight: 10,
    make: (draw) => ({
      key: draw.key('member', 'member', 'admin', 'contributor', 'guest'),
      url: '/route',
      headers: draw.chance(0.2) ? { 'idempotency-key': `k${draw.below(5)}` } : {},
      body: {
        prompt: draw.chance(0.8) ? draw.of(PROMPTS) : draw.text('Something'),
        metadata: {
          dao_id: draw.dao(),
          session_id: draw.of(SESSIONS),
          user_id: draw.maybe(0.1, () => draw.user()),
          source: draw.of(['telegram', 'discord', undefined]),
        },
      },
    }),
    learn: (state, body) => body.request_id && state.learn('request', body.request_id),
    variants: [
      // A key of all DAOs sees what it names; here that is one's own.
      [
        0.1,
        (draw, { body }) => ({ key: draw.state.keys.everywhere, body: withIds(body, draw.state.dao, draw.user()) }),
      ],
      [0.1, (draw, { body }) => ({ key: draw.state.keys.gateway, body: withIds(body, draw.dao(), draw.user()) })],
    ],
  },
  'GET /requests/:id': {
    weight: 6,
    make: (draw) => ({
      key: draw.anybody(),
      url: query(`/requests/${draw.id('request')}`, { user_id: draw.maybe(0.2, () => draw.user()) }),
    }),
  },
  'GET /requests/:id/events': {
    weight: 2,
    make: (draw) => ({ key: draw.anybody(), url: `/requests/${draw.id('request')}/events` }),
  },
  'DELETE /requests/:id': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: `/requests/${draw.id('request')}` }),
  },
  'GET /daos': { weight: 3, make: (draw) => ({ key: draw.anybody(), url: '/daos' }) },
  'GET /daos/:id': { weight: 6, make: (draw) => ({ key: draw.anybody(), url: `/daos/${draw.dao()}` }) },
  'PATCH /daos/:id': {
    weight: 6,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}`,
      ...ifMatch(draw),
      body: {
        name: draw.maybe(0.2, () => draw.text('Name')),
        facts: { [draw.of(FACTS)]: draw.chance(0.8) ? draw.text('A fact') : null },
        profile: draw.maybe(0.2, () => ({ description: draw.text('A description') })),
        settings: draw.maybe(0.2, () => ({ quorum: draw.of([0.1, 0.5, null]), voting_hours: 1 + draw.below(100) })),
      },
    }),
    variants: [[0.1, (draw) => draw.limits()]],
  },
  'GET /daos/:id/members': {
    weight: 8,
    make: (draw) => ({
      key: draw.anybody(),
      url: query(`/daos/${draw.dao()}/members`, {
        ...page(draw, 'member'),
        role: draw.maybe(0.3, () => draw.of(ROLES)),
        user_id: draw.maybe(0.3, () => draw.user()),
      }),
    }),
    learn: (state, { members }) => {
      for (const { id, user_ids: users = [] } of members) {
        state.learn('member', id);
        if (users.length > 1) state.learn('linked', `${id}/ids/${encodeURIComponent(users[1])}`);
      }
    },
  },
  'POST /daos/:id/members': {
    weight: 7,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}/members`,
      body: {
        user_id: draw.user(),
        roles: [draw.of(['member', ...ROLES]), ...draw.some(['member'])],
        name: draw.maybe(0.5, () => draw.text('Somebody')),
      },
    }),
    learn: learnIds('member'),
  },
  'DELETE /daos/:id/members': {
    weight: 1,
    make: (draw) => ({ key: draw.admin(), url: query(`/daos/${draw.dao()}/members`, { user_id: draw.user() }) }),
  },
  'GET /daos/:id/members/:member': {
    weight: 5,
    make: (draw) => ({
      key: draw.anybody(),
      url: `/daos/${draw.dao()}/members/${draw.chance(0.3) ? 'me' : draw.id('member')}`,
    }),
  },
  'PATCH /daos/:id/members/:member': {
    weight: 5,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}/members/${draw.id('member')}`,
      ...ifMatch(draw),
      body: draw.chance(0.6) ? { roles: [draw.of(['member', ...ROLES])] } : { name: draw.text('Somebody') },
    }),
  },
  'DELETE /daos/:id/members/:member': {
    weight: 2,
    make: (draw) => ({ key: draw.admin(), url: `/daos/${draw.dao()}/members/${draw.id('member')}`, ...ifMatch(draw) }),
  },
  'POST /daos/:id/members/:member/ids': {
    weight: 3,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}/members/${draw.id('member')}/ids`,
      body: { user_id: draw.user() },
    }),
  },
  'DELETE /daos/:id/members/:member/ids/:user': {
    weight: 2,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}/members/${draw.id('member')}/ids/${encodeURIComponent(draw.user())}`,
    }),
    variants: [[0.6, (draw) => ({ url: `/daos/${draw.dao()}/members/${draw.id('linked')}` })]],
  },
  'POST /daos/:id/members/me/link': {
    weight: 2,
    make: (draw) => ({ key: draw.anybody(), url: `/daos/${draw.dao()}/members/me/link` }),
    learn: (state, body) => body.code && state.learn('code', body.code),
  },
  'POST /daos/:id/members/me/forget': {
    weight: 0.5,
    make: (draw) => ({ key: draw.key('member', 'guest', 'gateway'), url: `/daos/${draw.dao()}/members/me/forget` }),
  },
  'POST /daos/:id/members/:member/forget': {
    weight: 1.5,
    make: (draw) => ({ key: draw.admin(), url: `/daos/${draw.dao()}/members/${draw.id('member')}/forget` }),
  },
  'GET /daos/:id/invitations': {
    weight: 3,
    make: (draw) => ({ key: draw.admin(), url: query(`/daos/${draw.dao()}/invitations`, page(draw, 'invitation')) }),
    learn: learnIds('invitation', 'invitations'),
  },
  'POST /daos/:id/invitations': {
    weight: 4,
    make: (draw) => ({
      key: draw.admin(),
      url: `/daos/${draw.dao()}/invitations`,
      body: {
        roles: [draw.of(['member', 'member', ...ROLES])],
        user_id: draw.maybe(0.5, () => draw.user()),
        expires_in_hours: draw.of([0.01, 5, 5]),
      },
    }),
    learn: (state, body) => {
      if (body.id) state.learn('invitation', body.id);
      if (body.secret) state.learn('code', body.secret);
    },
  },
  'DELETE /daos/:id/invitations/:invitation': {
    weight: 1,
    make: (draw) => ({ key: draw.admin(), url: `/daos/${draw.dao()}/invitations/${draw.id('invitation')}` }),
  },
  'POST /invitations/redeem': {
    weight: 4,
    make: (draw) => ({
      key: draw.key('gateway', 'gateway', 'guest', 'member'),
      url: '/invitations/redeem',
      body: {
        ...(draw.chance(0.6) ? { secret: draw.id('code') } : { dao_id: draw.dao() }),
        user_id: draw.maybe(0.7, () => draw.user()),
      },
    }),
  },
  'GET /roles': {
    weight: 4,
    make: (draw) => ({ key: draw.anybody(), url: query('/roles', { ...acting(draw), ...page(draw) }) }),
  },
  'PUT /roles/:name': {
    weight: 3,
    make: (draw) => ({
      key: draw.key('admin', 'admin', 'gateway'),
      url: query(`/roles/${draw.of(CUSTOM)}`, acting(draw)),
      ...ifMatch(draw),
      body: { entitlements: ['chat.read', ...draw.some(ENTITLEMENTS)] },
    }),
    variants: [
      // What everybody starts with is taken away, and given back.
      [0.2, () => ({ url: '/roles/contributor' })],
      [0.2, () => ({ url: '/roles/member', body: { entitlements: ['chat.read', 'chat.write', 'proposal.vote'] } })],
    ],
  },
  'DELETE /roles/:name': {
    weight: 1,
    make: (draw) => ({
      key: draw.admin(),
      url: query(`/roles/${draw.of([...CUSTOM, ...CUSTOM, ...ROLES])}`, inDao(draw)),
    }),
  },
  'GET /keys': {
    weight: 3,
    make: (draw) => ({ key: draw.admin(), url: query('/keys', { ...inDao(draw), ...page(draw, 'key') }) }),
    learn: learnIds('key', 'keys'),
  },
  'POST /keys': {
    weight: 2,
    make: (draw) => ({
      key: draw.admin(),
      url: '/keys',
      body: {
        ...{ name: draw.text('A key'), ...inDao(draw), principal: draw.maybe(0.7, () => draw.user()) },
        scopes: draw.maybe(0.3, () => ['chat.read', 'chat.write']),
      },
    }),
    learn: (state, body) => {
      if (body.id) state.learn('key', body.id);
      if (body.key) state.learn('secret', body.key);
    },
  },
  'POST /keys/:id/rotate': {
    weight: 1,
    make: (draw) => ({
      key: draw.admin(),
      url: query(`/keys/${draw.id('key')}/rotate`, inDao(draw)),
      body: { overlap_seconds: draw.of([0, 60, 3_600]) },
    }),
    learn: (state, body) => body.key && state.learn('secret', body.key),
  },
  'DELETE /keys/:id': {
    weight: 0.7,
    make: (draw) => ({ key: draw.admin(), url: query(`/keys/${draw.id('key')}`, inDao(draw)) }),
  },
  'GET /rbac/resolve': {
    weight: 6,
    make: (draw) => ({ key: draw.anybody(), url: query('/rbac/resolve', { ...acting(draw), user_id: draw.user() }) }),
  },
  'POST /rbac/resolve': {
    weight: 2,
    make: (draw) => ({ key: draw.anybody(), url: '/rbac/resolve', body: { ...inDao(draw), user_id: draw.user() } }),
  },
  'POST /microdao/query': {
    weight: 4,
    make: (draw) => ({
      key: draw.anybody(),
      url: '/microdao/query',
      body: { query_type: draw.of(['roles', 'members', 'members']), ...acting(draw), limit: 1 + draw.below(50) },
    }),
  },
  'GET /audit': {
    weight: 5,
    make: (draw) => ({
      key: draw.admin(),
      url: query('/audit', {
        ...inDao(draw),
        limit: draw.maybe(0.7, () => 1 + draw.below(30)),
        after: draw.maybe(0.7, () => draw.below(200)),
        actor: draw.maybe(0.2, () => draw.user()),
      }),
    }),
  },
  'GET /audit/heads': { weight: 1, make: (draw) => ({ key: draw.admin(), url: query('/audit/heads', inDao(draw)) }) },
  'GET /usage': {
    weight: 4,
    make: (draw) => ({
      key: draw.admin(),
      url: query('/usage', {
        ...inDao(draw),
        by: draw.of(['day', 'provider', 'key', 'dao']),
        from: day(3),
        to: day(0),
      }),
    }),
  },
  'GET /routing': { weight: 0.5, make: (draw) => ({ key: draw.admin(), url: query('/routing', inDao(draw)) }) },
  'GET /routing/explain': {
    weight: 2,
    make: (draw) => ({
      key: draw.anybody(),
      url: query('/routing/explain', { ...acting(draw), prompt: draw.of(PROMPTS), mode: 'chat' }),
    }),
  },
};

/** Routes that are not played, each with the reason. */
export const NOT_PLAYED = {
  'GET /providers': 'how a provider does is counted over all DAOs that ask it, by design: it is the same endpoint',
  'GET /audit/key': 'the installation’s public key, the same for all',
  'POST /audit/heads': 'of the platform alone',
  'POST /daos': 'of the platform alone; it made both DAOs before the first operation',
  'GET /config': 'of the platform alone',
  'POST /config/reload': 'of the platform alone',
  'POST /config/apply': 'of the platform alone',
  'POST /routing/whatif': 'of the platform alone: it looks at all DAOs',
  'POST /routing/whatif/trials': 'of the platform alone',
  'GET /health': 'nothing of a DAO',
  'GET /ready': 'nothing of a DAO',
};

/** Operations that are refused to everybody, each with the reason. */
export const NEVER_LET_IN = {
  'DELETE /requests/:id': 'a request has ended by the time that the next operation can name it',
};

const NAMES = Object.keys(OPERATIONS);
const TOTAL = NAMES.reduce((sum, name) => sum + OPERATIONS[name].weight, 0);

/** @returns the name of an operation and its call */
export function drawOperation(draw) {
  const lost = draw.state.lostKey();
  if (lost) return { name: 'POST /keys', call: lost };
  let at = draw.random() * TOTAL;
  const name = NAMES.find((one) => (at -= OPERATIONS[one].weight) < 0) ?? NAMES[0];
  const { make, variants = [] } = OPERATIONS[name];
  const plain = make(draw);
  const variant = variants.find(([share]) => draw.chance(share));
  const { headers = {}, body, ...call } = { ...plain, ...variant?.[1](draw, plain) };
  return { name, call: { method: name.split(' ')[0], headers, ...call, ...(body && { body }) } };
}
