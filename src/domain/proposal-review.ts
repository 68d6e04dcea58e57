import type { SeenRun } from '../contracts/crew-view.js';
import type { ProposalReview } from '../contracts/proposal.js';
import { AppError } from '../errors/app-error.js';

/** The crew whose results a proposal carries. */
export const REVIEWING_CREW = 'proposal_review';

/** A run, as far as it tells what was reviewed, and what came of it. */
export type ReviewRun = Pick<SeenRun, 'run_id' | 'crew' | 'version' | 'inputs' | 'ended_at' | 'result'> & {
  steps: readonly Pick<SeenRun['steps'][number], 'input' | 'output'>[];
  tasks: readonly Pick<SeenRun['tasks'][number], 'reused_from'>[];
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
  if (read.length === 0)
    throw refusal(proposal.n === undefined ? 'it did not read a text' : 'it did not read this proposal');
  const current = isWhole(run) && read.every((one) => saysSame(one, proposal));
  return { run_id, version, at: at.toISOString(), current, result: result.result };
}

/** What a run read of a proposal. */
interface Read {
  title?: string;
  text: string;
}

/** What a run was told that it reviews: a text, or the proposal of that number, each time that a tool showed it. */
function readBy({ inputs, steps }: ReviewRun, n: number | undefined): Read[] {
  if (typeof inputs.text === 'string') return [{ text: inputs.text.trim() }];
  return steps.flatMap(({ input, output }): Read[] => {
    if (!input || !('tool' in input) || input.tool !== 'dao_proposals') return [];
    if (n === undefined || input.params.n !== n || !output || !('result' in output)) return [];
    const { proposal } = output.result as { proposal?: Read };
    return proposal ? [proposal] : [];
  });
}

/** Whether all of a run is of what it read itself: what it took over an earlier run may have made of another draft. */
const isWhole = ({ inputs, tasks }: ReviewRun): boolean =>
  typeof inputs.text === 'string' || tasks.every(({ reused_from: from }) => from === null);

const saysSame = (read: Read, { title, text }: Reviewed): boolean =>
  read.text === text && (read.title ?? title) === title;

const refusal = (reason: string): AppError => new AppError('REVIEW_INVALID', undefined, { reason });
