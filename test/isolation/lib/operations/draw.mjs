// Drawing by chance: from what somebody knows of their DAO, from what others have, and from what is nowhere.

/** Persons of both DAOs: the same ids, with other roles in each. Each DAO's first admin, tg:1, is left alone. */
export const USERS = Array.from({ length: 12 }, (_, n) => `${n % 4 === 3 ? 'dc' : 'tg'}:${n + 2}`);
export const ROLES = ['admin', 'member', 'contributor', 'guest', 'keeper'];
export const CUSTOM = ['keeper', 'scribe', 'r1', 'r2', 'r3'];
export const ENTITLEMENTS = [
  'chat.read',
  'chat.write',
  'agent.crew',
  'proposal.vote',
  'member.invite',
  'audit.read',
  'ops.read',
  'key.manage',
];
export const PROMPTS = [
  'What do we grow?',
  'what is our budget',
  'What is our budget',
  'Who may vote?',
  'Tell me more.',
  'Hello',
];
export const FACTS = ['purpose', 'budget', 'kitchen', 'language'];
export const SESSIONS = ['s1', 's2', undefined, undefined, undefined];
const NOBODY = 'p_00000000000000000000000000000000';
const NOWHERE = { member: NOBODY, linked: `${NOBODY}/ids/tg%3A9`, other: '01890000-0000-7000-8000-000000000000' };

/** A day of the run, as queries name it. */
export const day = (n) => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10);

/** Draws for one operation. */
export class Draw {
  /** @param {() => number} random */
  constructor(random, state) {
    this.random = random;
    this.state = state;
  }

  below(count) {
    return Math.floor(this.random() * count);
  }

  chance(share) {
    return this.random() < share;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  some(list) {
    return list.filter(() => this.chance(0.4));
  }

  /** One of these, or nothing. */
  maybe(share, make) {
    return this.chance(share) ? make() : undefined;
  }

  user() {
    return this.of(USERS);
  }

  /** The DAO that is meant: nearly always the own one. */
  dao() {
    return this.chance(0.94) ? this.state.dao : this.of([this.state.other, 'no-such-dao']);
  }

  /** An id of this kind: known, of the other DAO, or nowhere. */
  id(kind) {
    const known = this.state.known[kind].filter((one) => one !== this.state.firstAdmin);
    const foreign = this.state.foreign[kind] ?? [];
    const nowhere = NOWHERE[kind] ?? NOWHERE.other;
    if (known.length > 0 && this.chance(0.85)) return this.of(known);
    return foreign.length > 0 && this.chance(0.7) ? this.of(foreign) : nowhere;
  }

  text(about) {
    return `${about} of ${this.state.dao} ${this.below(1_000)}${this.state.flavour}`;
  }

  /** A key that was made at the beginning, by what it is; now and then one that was made since. */
  key(...kinds) {
    const made = this.state.known.secret;
    if (made.length > 0 && this.chance(0.06)) return this.of(made);
    return this.state.keys[this.of(kinds)];
  }

  admin() {
    return this.key('admin', 'admin', 'admin', 'admin', 'member');
  }

  /** The platform gives the DAO another limit. */
  limits() {
    const limits = { weight: this.of([0.5, 2, null]), tokens_per_month: this.of([500_000, 3_000_000, null]) };
    return { key: this.state.keys.platform, url: `/daos/${this.state.dao}`, body: { limits } };
  }

  anybody() {
    return this.key('admin', 'member', 'contributor', 'guest', 'gateway');
  }
}

export const query = (url, fields) => {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? url : `${url}?${new URLSearchParams(given)}`;
};
export const page = (draw, kind) => ({
  limit: draw.maybe(0.4, () => 1 + draw.below(20)),
  after: kind && draw.maybe(0.2, () => draw.id(kind)),
});
export const acting = (draw) => ({
  dao_id: draw.maybe(0.3, () => draw.dao()),
  user_id: draw.maybe(0.1, () => draw.user()),
});
/** For keys of all DAOs a DAO has to be named. */
export const inDao = (draw) => ({ dao_id: draw.dao() });
export const withIds = ({ metadata, ...body }, dao, user) => ({
  ...body,
  metadata: { ...metadata, dao_id: dao, user_id: user },
});
export const ifMatch = (draw) => (draw.chance(0.15) ? { headers: { 'if-match': `"${1 + draw.below(6)}"` } } : {});
export const learnIds = (kind, list) => (state, body) => {
  for (const one of list ? (body[list] ?? []) : [body]) if (typeof one.id === 'string') state.learn(kind, one.id);
};

/**
 * An operation: how often, the call, and what is learned from an answer to it.
 * @typedef {object} Operation
 * @property {number} weight
 * @property {(draw: Draw) => object} make
 * @property {(state: object, body: any) => void} [learn]
 * @property {[share: number, (draw: Draw, call: object) => object][]} [variants] what is put in place of parts, how often
 */
