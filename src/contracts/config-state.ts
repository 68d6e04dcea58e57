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
  active: { hash: string; since: string; file: string };
  waiting: WaitingConfig | null;
  /** Why the last file that was read was not taken at all. */
  refused: { at: string; reason: string } | null;
  reloads: { applied: number; refused: number; held: number };
  warnings: string[];
}
