import { ROLES, query, page, ifMatch, learnIds } from './draw.mjs';

/**
 * Members, their ids, and ways to become one, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const PEOPLE = {
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
};
