import type { History } from '@temporalio/common/lib/proto-utils.js';
import { newsWorkflowId, WORKFLOWS } from '../../../src/contracts/ids.js';
import type { NewsInput } from '../../../src/contracts/news.js';
import type { Activities } from '../../../activities/index.js';
import type { news } from '../../../workflows/index.js';
import { POKE_NEWS_SIGNAL } from '../../../workflows/news/messages.js';
import { Script } from '../../fakes/scripted-activities.js';
import type { Stage } from '../../workflows/stage.js';
import { waysThrough } from './shape.js';

type Spread = Awaited<ReturnType<Activities['spreadNews']>>;

const SOON = 100;
const told =
  (isMore: boolean, waitMs: number | null = null) =>
  async (): Promise<Spread> => ({ isMore, waitMs });

async function play(stage: Stage, daoId: string, steps: (() => Promise<Spread>)[]): Promise<History> {
  const input: NewsInput = { version: 1, daoId };
  const script = new Script<NewsInput, Spread>('spreadNews', steps);
  const history = await stage.run({ spreadNews: (given: NewsInput) => script.play(given) }, ({ workflow }, taskQueue) =>
    // As in src/adapters/temporal/gateway.ts.
    workflow.signalWithStart<typeof news>(WORKFLOWS.news, {
      ...{ args: [input], signal: POKE_NEWS_SIGNAL, taskQueue, workflowTaskTimeout: '5s' },
      workflowId: newsWorkflowId(daoId),
    }),
  );
  script.assertPlayed();
  return history;
}

const spreading = (times: number): string[] => Array.from({ length: times }, () => 'spreadNews');

/** Every way of a DAO's news through its workflow. */
export const NEWS_SHAPES = waysThrough('news', {
  'news-told': {
    activities: spreading(1),
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [told(false)]),
  },
  'news-in-pages': {
    activities: spreading(3),
    closes: 'COMPLETED',
    events: 23,
    play: (stage, id) => play(stage, id, [told(true), told(true), told(false)]),
  },
  'news-later': {
    activities: spreading(2),
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) => play(stage, id, [told(false, SOON), told(false)]),
  },
});
