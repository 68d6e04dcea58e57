/** Something that belongs on the record, as the code that did it says it. */
export interface AuditEvent {
  /** Id of who acted, as the platform names them. */
  actor: string;
  /** What was done, as `noun.verb`. */
  action: string;
  /** On what: an id of ours, or a person by the platform's id. */
  subject: string | { user: string };
  /** Ids and codes; no names and no texts, since the record outlives what somebody asks to be forgotten. */
  detail?: Readonly<Record<string, unknown>>;
}

/** A row of a chain as it is kept and exported: the text that was hashed, and its hash. */
export interface AuditRow {
  seq: number;
  entry: string;
  hash: string;
}
