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
}

/** Who acts, where: the result of matching a key with what the request names. */
export interface Actor {
  id: string;
  /** True when the key's own principal acts, false when a gateway key named a user. */
  own: boolean;
}

/** Everything about access that a decision needs, as fetched from the database. */
export interface AccessFacts {
  dao: { id: string; name: string };
  roles: { name: string; entitlements: string[] }[];
  platformAdmin: boolean;
}

/** A key as it may be shown: never the key itself, nor its hash. */
export interface KeyInfo {
  id: string;
  name: string;
  dao_id: string | null;
  principal: string;
  gateway: boolean;
  created_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}
