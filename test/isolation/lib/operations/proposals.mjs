import { acting, FACTS, ifMatch, page, query, ROLES } from './draw.mjs';

const CHOICES = ['yes', 'no', 'abstain'];
const STAGES = ['draft', 'open', 'passed', 'rejected', 'expired', 'executed', 'vetoed'];

/** A proposal by its number: both DAOs count from one. */
const number = (draw) =>
  draw.chance(0.9) ? Math.max(1, draw.state.proposals - draw.below(6)) : draw.of([0, 999, 'x']);
const voter = (draw) => draw.key('admin', 'member', 'member', 'contributor');
/** Nearly always the one who makes proposals here, so that drafts are somebody's own. */
const author = (draw) => draw.key('admin', 'admin', 'admin', 'member');
const at = (draw, path = '') => query(`/proposals/${number(draw)}${path}`, acting(draw));

const action = (draw) =>
  draw.of([
    () => ({ type: 'set_fact', name: draw.of(FACTS), value: draw.text('A fact that was voted on') }),
    () => ({ type: 'set_setting', name: 'voting_hours', value: 1 }),
    () => ({ type: 'set_setting', name: 'sealed', value: draw.chance(0.5) }),
    () => ({ type: 'grant_role', user_id: draw.user(), role: draw.of(ROLES) }),
    () => ({ type: 'grant_role', member: draw.id('member'), role: 'contributor' }),
    () => ({ type: 'invite', user_id: draw.user(), roles: ['member'] }),
  ])();

/**
 * Proposals, ballots and delegations, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const PROPOSALS = {
  'GET /proposals': {
    weight: 3,
    make: (draw) => ({
      key: draw.anybody(),
      url: query('/proposals', { ...acting(draw), ...page(draw), stage: draw.maybe(0.3, () => draw.of(STAGES)) }),
    }),
  },
  'POST /proposals': {
    weight: 4,
    make: (draw) => ({
      key: author(draw),
      url: query('/proposals', acting(draw)),
      body: {
        title: draw.text('A proposal'),
        text: draw.text('Why'),
        actions: draw.chance(0.6) ? [action(draw)] : [],
        open: draw.chance(0.5),
      },
    }),
    learn: (state, { n }) => {
      if (typeof n === 'number') state.proposals = n;
    },
  },
  'GET /proposals/:n': { weight: 4, make: (draw) => ({ key: draw.anybody(), url: at(draw) }) },
  'PATCH /proposals/:n': {
    weight: 2,
    make: (draw) => ({ key: author(draw), url: at(draw), ...ifMatch(draw), body: { text: draw.text('Why else') } }),
  },
  'POST /proposals/:n/open': { weight: 3, make: (draw) => ({ key: author(draw), url: at(draw, '/open'), body: {} }) },
  'POST /proposals/:n/withdraw': {
    weight: 0.7,
    make: (draw) => ({ key: author(draw), url: at(draw, '/withdraw'), body: {} }),
  },
  'POST /proposals/:n/veto': {
    weight: 3,
    make: (draw) => ({ key: draw.admin(), url: at(draw, '/veto'), body: { reason: draw.text('No') } }),
  },
  'PUT /proposals/:n/vote': {
    weight: 10,
    make: (draw) => ({
      key: voter(draw),
      url: at(draw, '/vote'),
      body: { choice: draw.of(CHOICES), ballot_id: draw.maybe(0.2, () => `b${draw.below(3)}`) },
    }),
  },
  'GET /proposals/:n/votes': {
    weight: 2,
    make: (draw) => ({
      key: draw.anybody(),
      url: `${at(draw, '/votes')}`,
    }),
    variants: [[0.5, (draw) => ({ url: `/proposals/${number(draw)}/votes?revisions=all&limit=${1 + draw.below(9)}` })]],
  },
  'GET /proposals/:n/tally': { weight: 3, make: (draw) => ({ key: draw.anybody(), url: at(draw, '/tally') }) },
  'GET /proposals/:n/voters': { weight: 2, make: (draw) => ({ key: draw.anybody(), url: at(draw, '/voters') }) },
  'GET /delegations': {
    weight: 2,
    make: (draw) => ({ key: draw.anybody(), url: query('/delegations', { ...acting(draw), ...page(draw) }) }),
  },
  'PUT /delegations': {
    weight: 3,
    make: (draw) => ({ key: voter(draw), url: query('/delegations', acting(draw)), body: { to: draw.id('member') } }),
  },
  'DELETE /delegations': {
    weight: 1,
    make: (draw) => ({ key: voter(draw), url: query('/delegations', acting(draw)) }),
  },
};
