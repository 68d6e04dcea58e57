import { COMPLAINTS, type Complaint } from '../../contracts/conversation.js';
import type { DialogInsights, PromptStatus } from '../../contracts/dialog-record.js';
import type { RequestStatus } from '../../contracts/request.js';

const NOTHING = 'None';

const ENDED: Readonly<Record<RequestStatus, PromptStatus>> = {
  accepted: 'running',
  running: 'running',
  completed: 'success',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** What became of a message. */
export interface Answered {
  /** Of the request that answered it; null: none did. */
  request: RequestStatus | null;
  /** Of the reply in a chat; null: there are none. */
  reply: 'open' | 'done' | 'undeliverable' | null;
  isRefused: boolean;
}

/** How the answer to a prompt ended, for whoever wrote it. */
export function promptStatus({ request, reply, isRefused }: Answered): PromptStatus {
  if (reply === 'undeliverable') return 'failed';
  if (isRefused) return 'refused';
  if (request !== null) return ENDED[request];
  return reply === 'done' ? 'success' : 'running';
}

/** What members have said of answers. */
export interface Said {
  good: number;
  bad: number;
  /** What was wrong: a complaint that a button names, or words of their own. */
  comments: readonly string[];
}

const isComplaint = (comment: string): comment is Complaint => COMPLAINTS.some((one) => one === comment);

/** What members think of a dialog's answers, in words. What they wrote themselves is what they suggest. */
export function insightsOf({ good, bad, comments }: Said): DialogInsights {
  const wrong = comments.filter((comment) => isComplaint(comment));
  const words = comments.filter((comment) => !isComplaint(comment));
  const counts = COMPLAINTS.flatMap((one) => {
    const many = wrong.filter((comment) => comment === one).length;
    return many > 0 ? [`${one} (${many})`] : [];
  });
  return {
    worked_well: good === 0 ? NOTHING : `Marked good: ${good} of ${good + bad}`,
    issues: bad === 0 ? NOTHING : [`Marked bad: ${bad} of ${good + bad}`, ...counts].join('; '),
    suggestions: words.length === 0 ? NOTHING : words.join('\n'),
  };
}
