import type { NewsKind, Topic } from '../../contracts/news.js';

const TOPIC: Readonly<Record<NewsKind, Topic>> = {
  gate_asked: 'approvals',
  gate_reminded: 'approvals',
  gate_expired: 'approvals',
  run_ended: 'runs',
  proposal_opened: 'proposals',
  proposal_reminder: 'proposals',
  proposal_closed: 'proposals',
  proposal_vetoed: 'proposals',
  proposal_failed: 'proposals',
  role_given: 'membership',
  invitation_redeemed: 'membership',
};

/** What news is about, for whoever wants to hear of some of it only. */
export const topicOf = (kind: NewsKind): Topic => TOPIC[kind];
