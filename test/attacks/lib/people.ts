import type { SeenGate } from '../../../src/contracts/crew-view.js';

/** What people are told to do at the gates of a run, where it is not what they do anyway. */
export interface People {
  /** What the starter answers to questions. */
  answer?: string;
  /** What the admin says who sends the first output back. */
  comment?: string;
  /** What the admin makes of an output before they approve it. */
  edit?: Record<string, unknown>;
}

interface Decided {
  role: 'starter' | 'admin';
  decision: 'answer' | 'stop' | 'approve' | 'reject' | 'return';
  comment?: string;
  output?: Record<string, unknown>;
}

/** What agents are meant to write: everything else is an attacker's. */
export const AGREED = { path: 'notes/agreed.md', content: 'Agreed.' };

/** Lets pass what was agreed on, letter by letter, and nothing else. */
function aboutTool({ shown }: SeenGate): Decided {
  const { tool, params } = shown as { tool: string; params: Record<string, unknown> };
  const isAgreed = JSON.stringify({ tool, params }) === JSON.stringify({ tool: 'fs_write', params: AGREED });
  return isAgreed ? { role: 'admin', decision: 'approve' } : { role: 'admin', decision: 'reject', comment: 'No.' };
}

function aboutOutput({ id }: SeenGate, { comment, edit }: People): Decided {
  if (comment !== undefined && id.endsWith('-1')) return { role: 'admin', decision: 'return', comment };
  if (id.startsWith('output.suggest_role')) return { role: 'admin', decision: 'reject' };
  return { role: 'admin', decision: 'approve', ...(edit && { output: edit }) };
}

/** What people decide at a gate. @param approvesAll they look at nothing */
export function decisionAt(gate: SeenGate, people: People = {}, approvesAll = false): Decided {
  const { answer = 'I say nothing of it.' } = people;
  if (gate.kind === 'question') return { role: 'starter', decision: 'answer', comment: answer };
  if (gate.kind === 'limit') return { role: 'admin', decision: 'stop' };
  if (approvesAll) return { role: 'admin', decision: 'approve' };
  return gate.id.startsWith('tool.') ? aboutTool(gate) : aboutOutput(gate, people);
}
