import { Context } from '@temporalio/activity';
import { proposalWorkflowId } from '../src/contracts/ids.js';
import type { Advanced, ProposalInput } from '../src/contracts/proposal.js';
import { toApplicationFailure } from './failures.js';
import { storeFailure } from './store-failure.js';

export interface ProposalsDependencies {
  proposals: {
    /** Does for a proposal what is due. @throws AppError `STORE_UNAVAILABLE` */
    advance(daoId: string, n: number): Promise<Advanced>;
  };
}

export interface ProposalActivities {
  /** Does for a proposal what is due by the database's clock, and tells what is next. Safe to repeat. */
  advanceProposal(input: ProposalInput): Promise<Advanced>;
}

export const createProposalActivities = ({ proposals }: ProposalsDependencies): ProposalActivities => ({
  async advanceProposal({ daoId, n }) {
    // As for requests: whoever reaches the embedded server's port can start workflows that call our activities.
    if (Context.current().info.workflowExecution?.workflowId !== proposalWorkflowId(daoId, n)) {
      throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the proposal' });
    }
    return storeFailure(() => proposals.advance(daoId, n));
  },
});
