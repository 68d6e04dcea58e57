import type { WhatIfReport } from './whatif.js';

/** What of a profile waits to be confirmed, and why. */
export interface WaitingConfig {
  hash: string;
  since: string;
  reasons: string[];
  report: WhatIfReport;
}

/** The state of the configuration, as `GET /config` tells it. */
export interface ConfigState {
  /** `hash`: of the profile as written. `table_hash`: of what decisions depend on, with the variables of this process. */
  active: { hash: string; table_hash: string; since: string; file: string };
  waiting: WaitingConfig | null;
  /** Why the last file that was read was not taken at all. */
  refused: { at: string; reason: string } | null;
  /** Whether the last file that was read could not be checked, since the database is away. It is looked at again. */
  unchecked: boolean;
  /** What came of each time that the files were read again. */
  reloads: { applied: number; refused: number; held: number; unchanged: number };
  warnings: string[];
}
