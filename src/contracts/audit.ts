import type { AnsweredKey } from './access.js';

/** Something that belongs on the record, as the code that did it says it. */
export interface AuditEvent {
  /** Id of who acted, as the platform names them. */
  actor: string;
  /** How the record named whoever acted in a row before; absent: as it knows the actor now. */
  known?: string;
  /** What was done, as `noun.verb`. */
  action: string;
  /** On what: an id of ours, or a person by the platform's id. */
  subject: string | { user: string };
  /** Ids and codes; no names and no texts, since the record outlives what somebody asks to be forgotten. */
  detail?: Readonly<Record<string, unknown>>;
}

/** Where something belongs on the record, and through which key somebody did it. */
export interface AuditPlace {
  /** Null: the installation. */
  daoId: string | null;
  /** A row says which key it was, where neither the platform answers for it nor whoever acted. */
  key?: AnsweredKey;
}

/** A row of a chain as it is kept and exported: the text that was hashed, and its hash. */
export interface AuditRow {
  seq: number;
  entry: string;
  hash: string;
}

/** The chain of what concerns no DAO but the installation. */
export const PLATFORM_CHAIN = '';

/** The chain of a DAO; of null: of the installation. */
export const chainOf = (daoId: string | null): string => daoId ?? PLATFORM_CHAIN;

/** What a row of the record says; its canonical JSON is what is hashed. */
export interface AuditEntry {
  /** From one, without a gap. */
  seq: number;
  chain: string;
  /** ISO 8601 at UTC, to the millisecond, by the database's clock. */
  at: string;
  /** A member's id, a stranger's (`x_…`), or a key's principal (`api:…`). */
  actor: string;
  action: string;
  subject: string;
  detail: Readonly<Record<string, unknown>>;
}

/** The head of a chain on some day: from then on no row up to it can be changed without contradicting this. */
export interface AuditHead {
  chain: string;
  /** ISO date at UTC. */
  day: string;
  seq: number;
  hash: string;
  /** When it was signed, ISO 8601 at UTC. */
  at: string;
  key_id: string;
}

/** The same, with the signature (Ed25519, base64) of `headText`. */
export interface SignedHead extends AuditHead {
  signature: string;
}

/** A key with which heads are or were signed, as anybody may have it. */
export interface PublicKeyInfo {
  key_id: string;
  /** SPKI as PEM. */
  public_key: string;
}

/** Name and version of the form of an export. */
export const EXPORT_FORMAT = 'dagi-audit/1';

/** What a run of signing came to. */
export interface SigningReport {
  day: string;
  /** Chains whose head of the day was signed now. */
  signed: number;
  /** Heads that were made public now. */
  published: number;
  /** Chains that do not hold any more what was signed of them: nothing of theirs is signed until somebody looked. */
  broken: string[];
}

/** Signs the head of every chain. Safe to repeat, from the chain behind `after` too; undefined: from the first. */
export interface HeadSigner {
  /** @param progress hears of each chain that is done */
  signAll(after: string | undefined, progress: (chain: string) => void): Promise<SigningReport>;
}

/** A key that signs heads. */
export interface HeadKey extends PublicKeyInfo {
  /** @returns the signature in base64 */
  sign(text: string): string;
}

/** Somewhere where a DAO sees the heads of its chain. */
export interface HeadPublisher {
  /** @returns whether the head of that day was not there yet */
  publish(head: SignedHead): Promise<boolean>;
}

type Digest = (text: string) => string;

/** Hash of a row: over the hash of the row before (empty for the first) and its own text. */
export const chainHash = (sha256: Digest, before: string, entry: string): string => sha256(`${before}\n${entry}`);

/** How the record names somebody who is no member: the same person by the same name, and nobody can read it back. */
export const strangerId = (sha256: Digest, salt: string, userId: string): string =>
  `x_${sha256(`${salt}:${userId}`).slice(0, 32)}`;

/** What is signed of a head: canonical JSON, its names in the order of the alphabet. */
export const headText = ({ at, chain, day, hash, key_id, seq }: AuditHead): string =>
  JSON.stringify({ at, chain, day, hash, key_id, seq });
