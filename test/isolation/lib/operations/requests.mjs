import { PROMPTS, SESSIONS, query, withIds } from './draw.mjs';

const MODELS = ['dagi-stack', 'dagi-stack', 'provider/echo', 'provider/nobodys'];

/** What a client of OpenAI sends beside its question. */
const fromClient = (draw) => ({
  model: draw.of(MODELS),
  user: draw.maybe(0.3, () => draw.user()),
  metadata: draw.maybe(0.4, () => ({ dao_id: draw.dao(), user_id: draw.user() })),
});
const clientKey = (draw) => draw.key('member', 'member', 'admin', 'contributor', 'guest');

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
  'POST /v1/chat/completions': {
    weight: 6,
    make: (draw) => ({
      key: clientKey(draw),
      url: '/v1/chat/completions',
      headers: draw.chance(0.2) ? { 'idempotency-key': `k${draw.below(5)}` } : {},
      body: {
        ...fromClient(draw),
        messages: [
          { role: 'system', content: draw.text('You help members') },
          { role: 'user', content: draw.of(PROMPTS) },
        ],
        stream: draw.chance(0.3),
      },
    }),
    learn: (state, body) => body.id && state.learn('request', body.id.replace('chatcmpl-', '')),
  },
  'POST /v1/completions': {
    weight: 1,
    make: (draw) => ({
      key: clientKey(draw),
      url: '/v1/completions',
      body: { ...fromClient(draw), prompt: draw.of(PROMPTS) },
    }),
  },
  'POST /v1/embeddings': {
    weight: 1,
    make: (draw) => ({
      key: clientKey(draw),
      url: '/v1/embeddings',
      body: { ...fromClient(draw), input: draw.text('Something') },
    }),
  },
  'GET /v1/models': { weight: 1, make: (draw) => ({ key: draw.anybody(), url: '/v1/models' }) },
  'GET /v1/models/:model': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: `/v1/models/${encodeURIComponent(draw.of(MODELS))}` }),
  },
  'GET /v1/models/:kind/:model': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: `/v1/models/${draw.of(['provider/echo', 'provider/nobodys'])}` }),
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
  'GET /dialogs': {
    weight: 2,
    make: (draw) => ({
      key: draw.anybody(),
      url: query('/dialogs', {
        user_id: draw.maybe(0.2, () => draw.user()),
        limit: draw.maybe(0.5, () => 1 + draw.below(9)),
        source: draw.maybe(0.3, () => draw.of(['telegram', 'discord'])),
      }),
    }),
  },
  // A dialog has the id of its first request.
  'GET /dialogs/:id': {
    weight: 3,
    make: (draw) => ({
      key: draw.anybody(),
      url: query(`/dialogs/${draw.id('request')}`, { user_id: draw.maybe(0.2, () => draw.user()) }),
    }),
  },
  'DELETE /requests/:id': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: `/requests/${draw.id('request')}` }),
  },
};
