/** The chain of what concerns no DAO but the installation. */
export const PLATFORM_CHAIN = '';

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

type Digest = (text: string) => string;

/** Hash of a row: over the hash of the row before (empty for the first) and its own text. */
export const chainHash = (sha256: Digest, before: string, entry: string): string => sha256(`${before}\n${entry}`);

/** How the record names somebody who is no member: the same person by the same name, and nobody can read it back. */
export const strangerId = (sha256: Digest, salt: string, userId: string): string =>
  `x_${sha256(`${salt}:${userId}`).slice(0, 32)}`;
