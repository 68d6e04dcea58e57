/** How an id came to its member: with whoever joined, by the member's own code, or on an admin's word. */
export type LinkedBy = 'join' | 'code' | 'admin';

/** Most facts of a DAO. */
export const MOST_FACTS = 100;

/** What a DAO says of itself. */
export interface DaoProfile {
  description?: string;
  /** BCP 47 tag of the language it speaks with its members. */
  language?: string;
}

/** How a DAO decides. Copied into a proposal when it opens. */
export interface DaoSettings {
  /** How long ballots may be cast, in hours. */
  voting_hours?: number;
  /** Share of the whole weight that must take part, 0 to 1. */
  quorum?: number;
  /** Share of yes among yes and no that must be exceeded, 0 to 1. */
  threshold?: number;
  /** How long an admin may veto what was passed, in hours. */
  veto_hours?: number;
  /** Whether ballots are hidden until the close. */
  sealed?: boolean;
  /** Weight of a ballot by role, the largest of a voter's roles; absent: one each. */
  role_weights?: Record<string, number>;
  /** Weight of a ballot by member's id, in place of that by role. Who is not listed has no vote. */
  member_weights?: Record<string, number>;
}

/** What a DAO may use; what is absent is as the profile says. */
export interface DaoLimits {
  /** Share of a full queue, beside those of other DAOs. */
  weight?: number;
  requests_per_minute?: number;
  tokens_per_month?: number;
}

/** A DAO as its members may see it. */
export interface Dao {
  id: string;
  name: string;
  facts: Record<string, string>;
  profile: DaoProfile;
  settings: DaoSettings;
  limits: DaoLimits;
  version: string;
  created_at: Date;
}

/** A person of a DAO. */
export interface Member {
  id: string;
  name: string | null;
  roles: string[];
  /** Ids by which platforms name the person, the first one first. */
  user_ids: string[];
  version: string;
  created_at: Date;
}

/** A role of a DAO. */
export interface Role {
  name: string;
  entitlements: string[];
  version: string;
  /** How many members have it, for those who may see members. Who is no member is a guest, and counted nowhere. */
  holders?: number;
}
