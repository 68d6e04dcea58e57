import type { SupplyReporter } from './reporter.js';

/** Where a source puts what it fetched, and how it tells how far it is. */
export interface FetchContext {
  /** An empty folder of this attempt alone, on the file system of the cache. */
  folder: string;
  progress: (bytes: number, total: number | undefined) => void;
}

/** One place from which a part can be had. `fetch` gives the path of the file and throws a reason fit for a reader. */
export interface Source {
  name: string;
  fetch(context: FetchContext): Promise<string>;
}

/** A file that the product needs and does not ship: named, pinned by checksum, with its sources in order. */
export interface Part {
  /** Name for people, for example `Temporal CLI 1.9.1`. */
  name: string;
  /** Path below the cache folder. */
  file: string;
  sha256: string;
  executable: boolean;
  sources: readonly Source[];
  /** What a person can do when no source works: the end of one sentence. */
  remedy: string;
}

export interface ObtainOptions {
  cache: string;
  reporter: SupplyReporter;
}
