import type { SeenRun } from '../contracts/crew-view.js';
import type { ProposalReview } from '../contracts/proposal.js';
import { AppError } from '../errors/app-error.js';

/** The crew whose results a proposal carries. */
export const REVIEWING_CREW = 'proposal_review';

/** A run, as far as it tells what was reviewed, and what came of it. */
export type ReviewRun = Pick<SeenRun, 'run_id' | 'crew' | 'version' | 'inputs' | 'ended_at' | 'result'> & {
  steps: readonly Pick<SeenRun['steps'][number], 'input' | 'output'>[];
};

/** A proposal as it says now; without a number it is about to be drafted. */
export interface Reviewed {
  n?: number;
  title: string;
  text: string;
}

/**
 * The review that a finished run gives of a proposal.
 * @throws AppError `REVIEW_INVALID` where it is of another crew, has not come to an end, or read something else
 */
export function reviewOf(run: ReviewRun, proposal: Reviewed): ProposalReview {
  const { run_id, crew, version, ended_at: at, result } = run;
  if (crew !== REVIEWING_CREW) throw refusal(`it is a run of the crew ${crew}, not of ${REVIEWING_CREW}`);
  if (!at || !result) throw refusal('it has not come to a result');
  const read = readBy(run, proposal.n);
  if (!read) throw refusal(proposal.n === undefined ? 'it did not read a text' : 'it did not read this proposal');
  const current = read.text === proposal.text && (read.title ?? proposal.title) === proposal.title;
  return { run_id, version, at: at.toISOString(), current, result: result.result };
}

/** What a run was told that it reviews: a text, or the proposal of that number, as a tool showed it then. */
function readBy({ inputs, steps }: ReviewRun, n: number | undefined): { title?: string; text: string } | undefined {
  if (typeof inputs.text === 'string') return { text: inputs.text.trim() };
  for (const { input, output } of steps) {
    if (!input || !('tool' in input) || input.tool !== 'dao_proposals') continue;
    if (n === undefined || input.params.n !== n || !output || !('result' in output)) continue;
    const { proposal } = output.result as { proposal?: { title: string; text: string } };
    if (proposal) return proposal;
  }
  return undefined;
}

const refusal = (reason: string): AppError => new AppError('REVIEW_INVALID', undefined, { reason });
