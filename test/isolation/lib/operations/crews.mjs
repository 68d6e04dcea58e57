import { OWN_CREWS, ownCrew } from '../own-crews.mjs';
import { acting, ifMatch, page, query } from './draw.mjs';

const SHIPPED = ['microdao_onboarding', 'task_decomposition', 'proposal_review', 'code_review'];
const TASKS = ['look', 'write', 'plan', 'welcome'];
const STATES = ['running', 'waiting_approval', 'completed', 'failed', 'cancelled'];
/** What runs of these crews ask, and which decisions that takes. */
const ASKS = { letters: 'approval', microdao_onboarding: 'approval', questions: 'question', bounded: 'limit' };
const TAKES = { approval: ['approve', 'reject', 'return'], question: ['answer'], limit: ['continue', 'stop'] };
/** Most of what was asked lately is asked still. */
const LATELY = 2;

const starter = (draw) => draw.key('contributor', 'contributor', 'admin', 'admin', 'admin', 'member', 'guest');
const crewOf = (draw) => (draw.chance(0.85) ? draw.of(OWN_CREWS) : draw.of([...SHIPPED, 'none']));
const user = (draw) => ({ user_id: draw.maybe(0.05, () => draw.user()) });

const INPUTS = {
  microdao_onboarding: (draw) => ({ about: draw.text('I grow things') }),
  task_decomposition: (draw) => ({ task: draw.text('Make a garden') }),
  proposal_review: (draw) => ({ n: Math.max(1, draw.state.proposals - draw.below(3)) }),
  code_review: (draw) => ({ path: draw.of(['.', 'plans', `../${draw.state.other}`]) }),
};
const inputsOf = (draw, crew) => INPUTS[crew]?.(draw) ?? { topic: draw.text('Something') };

/** A run, most likely one that asks what this decides. */
function asking(draw, decision) {
  const kind = Object.keys(TAKES).find((one) => TAKES[one].includes(decision)) ?? draw.of(Object.keys(TAKES));
  const lately = draw.state.known[kind].slice(-LATELY);
  return lately.length > 0 && draw.chance(0.9) ? draw.of(lately) : draw.id('run');
}

/** A run that has begun, and waits if it has not ended. */
function begun(state, { request_id: id, workflow_id: workflow, status }) {
  state.learn('run', id);
  const kind = ASKS[workflow.split('/')[1]];
  // What has ended can be followed to its end: nobody waits for it.
  if (status === 'completed') state.learn('request', id);
  else if (kind) state.learn(kind, id);
}

/** @returns {import('./draw.mjs').Operation} a decision about what a run asks */
const aDecision = (decision) => ({
  weight: 1.5,
  make: (draw) => ({
    key: draw.key('admin', 'admin', 'admin', 'admin', 'contributor', 'member'),
    url: `/crews/runs/${asking(draw, decision)}/${decision}`,
    body: {
      ...user(draw),
      comment: draw.text('Because'),
      ...(draw.chance(0.1) && { gate: draw.of(['output.look-1', 'limit.tokens.0']) }),
      ...(draw.chance(0.2) && { revision: 1 + draw.below(2) }),
      ...(decision === 'approve' && draw.chance(0.3) && { output: { text: draw.text('By hand') } }),
    },
  }),
  learn: (state, { run_id: id, gates }) => {
    if (gates.some((gate) => gate.state === 'open')) return;
    for (const kind of Object.keys(TAKES)) state.unlearn(kind, id);
  },
});

/**
 * Crews, their runs and what people decide about them, by route.
 * @type {Record<string, import('./draw.mjs').Operation>}
 */
export const CREWS = {
  'GET /crews': { weight: 0.5, make: (draw) => ({ key: draw.anybody(), url: query('/crews', acting(draw)) }) },
  'GET /crews/:id': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: query(`/crews/${crewOf(draw)}`, acting(draw)) }),
  },
  'PUT /crews/:id': {
    weight: 1,
    make: (draw) => {
      const id = draw.of(OWN_CREWS);
      const body = ownCrew(id, draw.text('Write'));
      return { key: draw.admin(), url: query(`/crews/${id}`, acting(draw)), ...ifMatch(draw), body };
    },
  },
  'DELETE /crews/:id': {
    weight: 0.3,
    make: (draw) => ({ key: draw.admin(), url: query(`/crews/${draw.of(OWN_CREWS)}`, acting(draw)), ...ifMatch(draw) }),
  },
  'POST /crews/:id/runs': {
    weight: 3,
    make: (draw) => {
      const crew = crewOf(draw);
      return {
        key: starter(draw),
        url: `/crews/${crew}/runs`,
        body: { ...acting(draw), inputs: inputsOf(draw, crew) },
      };
    },
    learn: begun,
  },
  'POST /crews/runs/:run/rerun': {
    weight: 0.6,
    make: (draw) => ({
      key: starter(draw),
      url: `/crews/runs/${draw.id('run')}/rerun`,
      body: {
        ...user(draw),
        ...(draw.chance(0.5) && { from: draw.of(TASKS) }),
        ...(draw.chance(0.4) && { inputs: { topic: draw.text('Something else') } }),
      },
    }),
    learn: begun,
  },
  'GET /crews/runs': {
    weight: 1,
    make: (draw) => ({
      key: draw.anybody(),
      url: query('/crews/runs', {
        ...{ ...acting(draw), ...page(draw, 'run') },
        crew: draw.maybe(0.3, () => crewOf(draw)),
        state: draw.maybe(0.4, () => draw.of(STATES)),
      }),
    }),
  },
  'GET /crews/gates': {
    weight: 1,
    make: (draw) => ({ key: draw.anybody(), url: query('/crews/gates', acting(draw)) }),
  },
  'GET /crews/runs/:run': {
    weight: 3,
    make: (draw) => ({ key: draw.anybody(), url: query(`/crews/runs/${draw.id('run')}`, user(draw)) }),
  },
  'GET /crews/runs/:run/compare': {
    weight: 0.6,
    make: (draw) => ({
      key: draw.key('admin', 'contributor'),
      url: query(`/crews/runs/${draw.id('run')}/compare`, { with: draw.id('run'), ...user(draw) }),
    }),
  },
  'POST /crews/runs/:run/cancel': {
    weight: 0.4,
    make: (draw) => ({
      key: draw.key('admin', 'contributor'),
      url: query(`/crews/runs/${asking(draw)}/cancel`, user(draw)),
    }),
  },
  'POST /crews/runs/:run/approve': aDecision('approve'),
  'POST /crews/runs/:run/reject': aDecision('reject'),
  'POST /crews/runs/:run/return': aDecision('return'),
  'POST /crews/runs/:run/answer': aDecision('answer'),
  'POST /crews/runs/:run/continue': aDecision('continue'),
  'POST /crews/runs/:run/stop': aDecision('stop'),
};
