import { OWN_CREWS, ownCrew } from './own-crews.mjs';

/** The platform's own key. */
export const ADMIN_KEY = 'administrator-of-the-isolation-run';

/** Most ids of a kind that are remembered: the latest. */
const MOST = 40;
const KINDS = [
  'member',
  'linked',
  'request',
  'key',
  'secret',
  'invitation',
  'code',
  'run',
  'approval',
  'question',
  'limit',
];

/** Who has which key at the beginning: everybody but guests and gateways as the id that the DAO knows. */
const PRINCIPALS = { admin: 'tg:1', member: 'tg:2', contributor: 'tg:3', guest: 'tg:99', gateway: undefined };

/** What the people of a DAO know: ids and secrets that they were told. */
export class DaoState {
  known = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  /** What somebody told them of the other DAO. */
  foreign = {};
  keys = { platform: ADMIN_KEY };
  /** Number of the latest proposal. */
  proposals = 0;

  /** @param {string} flavour what texts end with, so that those of two worlds differ */
  constructor(dao, other, flavour) {
    Object.assign(this, { dao, other, flavour });
  }

  learn(kind, value) {
    const list = this.known[kind];
    if (list.includes(value)) return;
    list.push(value);
    if (list.length > MOST) list.shift();
  }

  unlearn(kind, value) {
    this.known[kind] = this.known[kind].filter((one) => one !== value);
  }

  /** Hears how a call ended that was made with a key: one that opens nothing any more is not used again. */
  used(key, status) {
    if (status !== 401) return;
    this.unlearn('secret', key);
    this.lost ??= Object.keys(PRINCIPALS).find((kind) => this.keys[kind] === key);
  }

  /** Has the platform make a key in place of one that was lost, if one was: its holder was forgotten, say. */
  lostKey() {
    const { lost: kind, dao } = this;
    if (kind === undefined) return undefined;
    const body = { name: kind, dao_id: dao, principal: PRINCIPALS[kind] };
    return { method: 'POST', url: '/keys', headers: {}, key: ADMIN_KEY, body };
  }

  /** Takes such a key. */
  regain(key) {
    this.keys[this.lost] = key;
    this.lost = undefined;
  }
}

/** Votes that close, and vetoes that end, while the run goes on. */
const SETTINGS = { voting_hours: 1, veto_hours: 1, quorum: 0, threshold: 0 };

/**
 * Makes a DAO with its first people and keys.
 * @param {{ facts: Record<string, string>, limits: object, people: Record<string, string> }} make
 */
export async function found(world, state, { facts, limits, people }) {
  const platform = async (method, url, body) => {
    const { status, body: text } = await world.call({ method, url, key: ADMIN_KEY, body });
    if (status >= 300) throw new Error(`${method} ${url}: ${status} ${text}`);
    return JSON.parse(text);
  };
  const { dao } = state;
  await platform('POST', '/daos', { id: dao, name: `The ${dao}${state.flavour}`, facts, admin: PRINCIPALS.admin });
  await platform('PATCH', `/daos/${dao}`, { limits, settings: SETTINGS });
  // Whoever could be removed by chance would take all the others' chances along.
  const { members } = await platform('GET', `/daos/${dao}/members`);
  state.firstAdmin = members[0].id;
  for (const [userId, role] of Object.entries(people)) {
    const { id } = await platform('POST', `/daos/${dao}/members`, { user_id: userId, roles: [role] });
    state.learn('member', id);
  }
  for (const [kind, principal] of Object.entries(PRINCIPALS)) {
    const { key } = await platform('POST', '/keys', { name: kind, dao_id: dao, principal });
    state.keys[kind] = key;
  }
  for (const id of OWN_CREWS) await platform('PUT', `/crews/${id}?dao_id=${dao}`, ownCrew(id, `Write${state.flavour}`));
  const { key } = await platform('POST', '/keys', { name: 'everywhere' });
  state.keys.everywhere = key;
}
