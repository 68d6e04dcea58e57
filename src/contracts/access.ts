import type { DaoLimits } from './dao.js';

/** Roles and entitlements: the vocabulary of access. */
export const ENTITLEMENTS = [
  'chat.read',
  'chat.write',
  'agent.devtools',
  'agent.crew',
  'proposal.create',
  'proposal.vote',
  'proposal.execute',
  'member.invite',
  'member.remove',
  'config.update',
  'audit.read',
  'key.manage',
  'ops.read',
  'platform.admin',
] as const;
export type Entitlement = (typeof ENTITLEMENTS)[number];

/** Whether a name is of the vocabulary: what is kept may be older than it. */
export const isEntitlement = (name: string): name is Entitlement => (ENTITLEMENTS as readonly string[]).includes(name);

/** What every unknown user is. */
export const GUEST_ROLE = 'guest';

/** An authenticated key: who calls. */
export interface CallerKey {
  id: string;
  /** The only DAO that the key opens, or null for all. */
  daoId: string | null;
  principal: string;
  /** Whether the key may name the user on whose behalf it calls. */
  gateway: boolean;
  /** Whose rights the key's never exceed: a member of its DAO, or `PLATFORM_OWNER`. */
  owner: string;
  /** To what the key is narrowed; null: no narrower than its owner. */
  scopes: readonly Entitlement[] | null;
  /** Its DAO, as it stood when the key was authenticated. */
  dao?: DaoSeen | undefined;
  /** Present: it stands for the bearer of an access token. */
  token?: TokenSeen | undefined;
}

/** What is kept of an access token while one call is handled. Never the token. */
export interface TokenSeen {
  /** Who gave it out. */
  issuer: string;
  /** It names several DAOs, and the call was not read so far as to tell which is meant: nothing may be done so far. */
  undecided?: true;
}

/** An access token that was checked: signature, issuer, audience and time. */
export interface VerifiedToken {
  issuer: string;
  /** Whose it is, as the issuer names them. */
  subject: string;
  /** What it lets through at most. */
  scopes: readonly Entitlement[];
  /** Whatever else it says. */
  claims: Readonly<Record<string, unknown>>;
}

/**
 * What a call was told of its key and DAO when it came in holds for so long, in milliseconds; one that waits for longer,
 * for its body for example, asks again.
 */
export const KEY_SEEN_MS = 50;

/** What the rights of everybody in a DAO hang on, at a moment. */
export interface DaoSeen {
  id: string;
  name: string;
  /** What the platform has given to the DAO. */
  limits: DaoLimits;
  /** Changes with everything that changes somebody's rights in the DAO. */
  stamp: string;
  /** When it was asked for, by the monotonic clock. */
  at: number;
}

/** A key as far as somebody answers for what is done with it. */
export type AnsweredKey = Pick<CallerKey, 'id' | 'owner'>;

/** The owner of keys that the administrator of the installation made. */
export const PLATFORM_OWNER = 'platform';

/**
 * Whether a key may do for somebody what only they themselves may: it is theirs, or the platform's. Whoever rules over
 * keys makes one that speaks for another, and must not become the other.
 * @param member as whom the key acts, as the record names them; undefined: no member
 */
export const isOwnKey = ({ owner }: AnsweredKey, member: string | undefined): boolean =>
  owner === PLATFORM_OWNER || owner === member;

/** Who acts, where: the result of matching a key with what the request names. */
export interface Actor {
  id: string;
  /** True when the key's own principal acts, false when a gateway key named a user. */
  own: boolean;
}

/** Everything about access that a decision needs, as fetched from the database. */
export interface AccessFacts {
  /** weight: as the platform gave it to this DAO; absent: as the routing table says. */
  dao: { id: string; name: string; weight?: number };
  /** Id of the member; absent: a guest, or the principal of a key. */
  member?: string;
  roles: { name: string; entitlements: string[] }[];
  platformAdmin: boolean;
  /** What the key that was used lets through at most; absent: everything. */
  within?: string[];
}

/** A key as it may be shown: never the key itself, nor its hash. */
export interface KeyInfo {
  id: string;
  name: string;
  dao_id: string | null;
  principal: string;
  gateway: boolean;
  owner: string;
  /** Null: no narrower than its owner. */
  scopes: string[] | null;
  expires_at: Date | null;
  /** Id of the key that this one takes the place of. */
  replaces: string | null;
  /** Not null: no key, but a bearer of access tokens of this issuer. */
  issuer: string | null;
  created_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}
