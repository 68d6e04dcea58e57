import type { ScriptedAnswer } from './fake-dialect.js';

/** A fault as a reviewer tells it. */
export const ISSUE = {
  file: 'shop/login.js',
  line: 2,
  issue: 'A password in the code.',
  severity: 'high',
  advice: 'Take it out.',
};

export const SLOW = {
  file: 'shop/lib/report.js',
  line: 2,
  issue: 'Each order is looked for in all orders.',
  severity: 'medium',
  advice: 'Count them in a map.',
};

/** Findings about a proposal. */
const finding = (text: string): { findings: object[] } => ({ findings: [{ finding: text, severity: 'concern' }] });

/** Good answers, by words of each task's instruction. Scripted: no model thought of them. */
export const GOOD: Record<string, ScriptedAnswer[]> = {
  'Write a welcome message': [
    { welcome_message: 'Welcome to GreenFood DAO, which brings food from farms to kitchens!' },
  ],
  'Choose one role': [{ reason: 'They want to help with code and files.', suggested_role: 'contributor' }],
  'three to five first steps': [
    { next_steps: ['Ask a question in the chat.', 'Read the open proposals.', 'Talk about Farm Share.'] },
  ],
  'First write in assessment': [{ assessment: 'Small, and without tests.', quality_score: 40 }],
  'Look for security faults': [{ security_issues: [ISSUE] }],
  'slow or hungry': [{ performance_warnings: [SLOW] }],
  'one to six recommendations': [{ recommendations: ['Take the password out of shop/login.js.'] }],
  'duties towards authorities': [finding('It does not say who signs for the barn.')],
  'sums that are asked for': [finding('It asks for 400 euros and names no month.')],
  'who gains, who loses': [finding('Members who have no car cannot reach the barn.')],
  'Weigh the three lists': [
    { reasons: ['Nobody signs for the barn so far.'], recommendation: 'revise', confidence: 0.7 },
  ],
  'into three to eight subtasks': [
    {
      subtasks: [
        { id: 't1', title: 'Write the list' },
        { id: 't2', title: 'Buy the seeds' },
        { id: 't3', title: 'Sow them' },
      ],
    },
  ],
  'Estimate each subtask': [
    {
      estimates: [
        { id: 't1', hours: 1, confidence: 'high' },
        { id: 't2', hours: 2, confidence: 'medium' },
        { id: 't3', hours: 3, confidence: 'low' },
      ],
    },
  ],
  'depends_on has the ids': [
    {
      dependencies: [
        { id: 't1', depends_on: [] },
        { id: 't2', depends_on: ['t1'] },
        { id: 't3', depends_on: ['t2'] },
      ],
    },
  ],
};
