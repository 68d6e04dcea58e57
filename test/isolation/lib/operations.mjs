// What somebody does in a DAO.
import { CREWS } from './operations/crews.mjs';
import { DAOS } from './operations/daos.mjs';
import { DEVTOOLS } from './operations/devtools.mjs';
import { PEOPLE } from './operations/people.mjs';
import { PROPOSALS } from './operations/proposals.mjs';
import { REQUESTS } from './operations/requests.mjs';
import { RIGHTS } from './operations/rights.mjs';

/** By route. */
export const OPERATIONS = { ...REQUESTS, ...DAOS, ...PEOPLE, ...RIGHTS, ...PROPOSALS, ...DEVTOOLS, ...CREWS };

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
  'POST /telegram/webhook': 'called by its platform alone; what comes of it belongs to a chat',
  'POST /discord/interactions': 'called by its platform alone; what comes of it belongs to a chat',
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
