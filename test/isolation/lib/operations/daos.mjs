import { PROMPTS, FACTS, day, query, acting, inDao, ifMatch } from './draw.mjs';

/**
 * The DAO itself, its record, its usage, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const DAOS = {
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
        settings: draw.maybe(0.2, () => ({ quorum: draw.of([0, 0.1, null]), voting_hours: 1 + draw.below(2) })),
      },
    }),
    variants: [[0.1, (draw) => draw.limits()]],
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
