// What somebody does in a DAO.
import { DAOS } from './operations/daos.mjs';
import { DEVTOOLS } from './operations/devtools.mjs';
import { PEOPLE } from './operations/people.mjs';
import { PROPOSALS } from './operations/proposals.mjs';
import { REQUESTS } from './operations/requests.mjs';
import { RIGHTS } from './operations/rights.mjs';

/** By route. */
export const OPERATIONS = { ...REQUESTS, ...DAOS, ...PEOPLE, ...RIGHTS, ...PROPOSALS, ...DEVTOOLS };

const RUNS =
  'a run goes on by itself, so that two worlds are not alike at the same operation; test/e2e/isolation walks it';
const WALKED = 'test/e2e/isolation walks it';

/** Routes that are not played, each with the reason. */
export const NOT_PLAYED = {
  'GET /providers':
    'slots, queue and cooldown belong to the endpoint, which DAOs share; calls are counted for each alone',
  'GET /audit/key': 'the installation’s public key, the same for all',
  'POST /audit/heads': 'of the platform alone',
  'POST /daos': 'of the platform alone; it made both DAOs before the first operation',
  'GET /config': 'of the platform alone',
  'POST /config/reload': 'of the platform alone',
  'POST /config/apply': 'of the platform alone',
  'POST /routing/whatif': 'of the platform alone: it looks at all DAOs',
  'POST /routing/whatif/trials': 'of the platform alone',
  'POST /crews/:id/runs': RUNS,
  'POST /crews/runs/:run/rerun': RUNS,
  'GET /crews/runs': RUNS,
  'GET /crews/gates': RUNS,
  'GET /crews/runs/:run': RUNS,
  'GET /crews/runs/:run/compare': RUNS,
  'POST /crews/runs/:run/cancel': RUNS,
  'POST /crews/runs/:run/approve': RUNS,
  'POST /crews/runs/:run/reject': RUNS,
  'POST /crews/runs/:run/return': RUNS,
  'POST /crews/runs/:run/answer': RUNS,
  'POST /crews/runs/:run/continue': RUNS,
  'POST /crews/runs/:run/stop': RUNS,
  'GET /crews': WALKED,
  'GET /crews/:id': WALKED,
  'PUT /crews/:id': WALKED,
  'DELETE /crews/:id': WALKED,
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
