import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { Advanced, ProposalInput } from '../../src/contracts/proposal.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { POKE_SIGNAL } from './messages.js';

/** What is due is done, however long the database is away. */
const { advanceProposal } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

const poke = defineSignal(POKE_SIGNAL);

/**
 * The clock of a proposal. What it is and what becomes of it is in the database: this asks there what is due, by the
 * database's time, and sleeps for as long as it is told, or until somebody wakes it. Votes never reach it.
 */
export async function proposal(input: ProposalInput): Promise<Advanced['stage']> {
  let poked = false;
  setHandler(poke, () => {
    poked = true;
  });
  for (let seen: string | undefined; ;) {
    poked = false;
    const { stage, remainingMs, final } = await advanceProposal(input);
    if (stage !== seen) upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.Outcome, value: stage }]);
    seen = stage;
    if (final) return stage;
    // Nothing is lost by it: the next run asks first.
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof proposal>(input);
    await (remainingMs === null ? condition(() => poked) : condition(() => poked, remainingMs));
  }
}
