// Crews that DAOs make themselves. Each asks people something: whether a text may go on, what else they know, more tokens.

/** Both DAOs have crews of these ids. */
export const OWN_CREWS = ['letters', 'questions', 'bounded'];

const TEXT = { type: 'object', properties: { text: { type: 'string', maxLength: 64 } }, required: ['text'] };
const GATHER = [
  { as: 'facts', tool: 'dao_facts' },
  { as: 'roles', tool: 'dao_roles' },
  { as: 'proposals', tool: 'dao_proposals' },
];
const FILE = { as: 'file', tool: 'fs_read', params: { path: 'notes.txt' }, optional: true };
/** In seconds of the run: each operation takes some of them, and both moments come within an episode. */
const APPROVAL = { ask: 'Shall it go on?', roles: ['admin'], self: true, remind_after_s: 300, expires_after_s: 7_200 };

const PECULIAR = {
  letters: { look: { gather: [...GATHER, FILE], approval: APPROVAL } },
  questions: { agent: { tools: ['ask_member'] }, look: { tools: ['ask_member'], gather: GATHER } },
  /** Enough for a turn, and not for two. */
  bounded: { look: { gather: GATHER }, crew: { budget: { tokens: 250 } } },
};

/** A crew as it is sent. @param {string} words what its agent is told */
export function ownCrew(id, words) {
  const { agent = {}, look, crew = {} } = PECULIAR[id];
  const task = { agent: 'writer', instruction: `${words}.`, output: TEXT };
  return {
    ...{ name: id, description: words, text_input: 'topic', ...crew },
    inputs: { type: 'object', properties: { topic: { type: 'string', maxLength: 500 } } },
    agents: { writer: { role: 'Writer', goal: words, limits: { max_tokens: 200 }, ...agent } },
    tasks: {
      look: { ...task, uses: ['inputs.topic'], ...look },
      write: { ...task, needs: ['look'], uses: ['look.text'] },
    },
    result: { text: 'write.text' },
  };
}
