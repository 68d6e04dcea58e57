import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { NewsInput } from '../../src/contracts/news.js';
import { POKE_NEWS_SIGNAL } from './messages.js';

/** What happened is told, however long the database is away. */
const { spreadNews } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

const poke = defineSignal(POKE_NEWS_SIGNAL);

/**
 * Brings the news of a DAO to chats, some people at a time. What was told to whom is in the database; this ends when
 * there is nothing more to tell, and the next change starts it again.
 */
export async function news(input: NewsInput): Promise<void> {
  let poked = false;
  setHandler(poke, () => {
    poked = true;
  });
  for (;;) {
    poked = false;
    const { isMore, waitMs } = await spreadNews(input);
    // Nothing is lost by it: the next run asks first.
    if (workflowInfo().continueAsNewSuggested) return continueAsNew<typeof news>(input);
    if (isMore || poked) continue;
    if (waitMs === null) return;
    await condition(() => poked, waitMs);
  }
}
