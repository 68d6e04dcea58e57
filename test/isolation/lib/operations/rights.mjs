import { ROLES, CUSTOM, ENTITLEMENTS, query, page, acting, inDao, ifMatch, learnIds } from './draw.mjs';

/**
 * Roles, keys, and who may do what, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const RIGHTS = {
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
};
