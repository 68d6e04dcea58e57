import { Context } from '@temporalio/activity';
import { newsWorkflowId } from '../src/contracts/ids.js';
import type { NewsInput, NewsStep } from '../src/contracts/news.js';
import { toApplicationFailure } from './failures.js';
import { storeFailure } from './store-failure.js';

export interface NewsDependencies {
  news: {
    /** Brings news of a DAO to some more people. @throws AppError */
    step(daoId: string): Promise<NewsStep>;
  };
}

export interface NewsActivities {
  /** Brings news of a DAO to some more people, and tells whether there are others. Safe to repeat. */
  spreadNews(input: NewsInput): Promise<NewsStep>;
}

export const createNewsActivities = ({ news }: NewsDependencies): NewsActivities => ({
  async spreadNews({ daoId }) {
    // As for requests: whoever reaches the embedded server's port can start workflows that call our activities.
    if (Context.current().info.workflowExecution?.workflowId !== newsWorkflowId(daoId)) {
      throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the news' });
    }
    return storeFailure(() => news.step(daoId));
  },
});
