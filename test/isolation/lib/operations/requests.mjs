import { PROMPTS, SESSIONS, query, withIds } from './draw.mjs';

/**
 * Chats and what becomes of them, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const REQUESTS = {
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
};
