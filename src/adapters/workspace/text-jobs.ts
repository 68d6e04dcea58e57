/** Work on texts that may take seconds: done in a thread, see `text-threads.ts`. Bytes are texts in UTF-8. */
export interface TextJobs {
  /** A unified diff; of its bytes, one more than `most` at most. */
  diff: { ask: DiffJob; answer: Uint8Array<ArrayBuffer> };
  /** What a patch is of. */
  heads: { ask: string; answer: FileHead[] | { problem: string } };
  /** What a patch makes of files; ends with the first that it does not fit. */
  patch: { ask: PatchJob; answer: PatchedPart[] };
}

export interface DiffJob {
  names: [from: string, to: string];
  texts: [from: Uint8Array, to: Uint8Array];
  /** Lines around each change. */
  context: number;
  most: number;
}

/** A file of a patch, as far as it can be judged without the file itself. */
export interface FileHead {
  before: string | undefined;
  after: string | undefined;
  isCreated: boolean;
  isDeleted: boolean;
  /** Renamed or copied. */
  isMoved: boolean;
  isBinary: boolean;
  isExecutable: boolean;
  hunks: number;
  /** The first hunk that has no line numbers or changes nothing, from 1. */
  badHunk: number | undefined;
}

export type PatchKind = 'create' | 'delete' | 'change';

export interface PatchJob {
  patch: string;
  parts: {
    /** Which of the heads. */ head: number;
    kind: PatchKind;
    /** Null: no file. */ before: Uint8Array | null;
  }[];
}

/** What a file becomes, null: nothing; or the first hunk that fits nowhere, from 1, 0 if text is left of a deleted file. */
export type PatchedPart = { after: Uint8Array<ArrayBuffer> | null; hash: string | null } | { failed: number };
