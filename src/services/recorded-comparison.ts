import type { RecordedDecision, WhatIfReport } from '../contracts/whatif.js';
import type { WhatIf } from '../domain/whatif.js';
import { inSlices } from './slices.js';

/** Why a change may not be made by itself, and what it would do to recorded requests. */
export interface Objection {
  reasons: string[];
  report: WhatIfReport;
}

/** Goes through recorded decisions page by page, leaves others their turn, and says how long it took. */
export async function compareRecorded(
  pages: AsyncIterable<readonly RecordedDecision[]>,
  whatIf: WhatIf,
): Promise<WhatIfReport> {
  const began = performance.now();
  for await (const page of pages) await inSlices(page, (one) => whatIf.add(one));
  return whatIf.report(Math.round(performance.now() - began));
}
