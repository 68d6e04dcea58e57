const TEXT = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };

/** A crew that needs to know its topic, and whose starter, too, decides whether the letter is written. */
export const LETTERS = {
  name: 'Letters',
  description: 'Writes a letter.',
  inputs: { type: 'object', properties: { topic: { type: 'string' } }, required: ['topic'] },
  agents: { writer: { role: 'Writer', goal: 'Write.' } },
  tasks: {
    draft: {
      ...{ agent: 'writer', instruction: 'Draft it.', uses: ['inputs.topic'], output: TEXT },
      approval: { ask: 'Shall it be written?', roles: ['admin'], self: true },
    },
    write: { agent: 'writer', instruction: 'Write it.', needs: ['draft'], uses: ['draft.text'], output: TEXT },
  },
  result: { text: 'write.text' },
};
/** What the model says in it. */
export const LETTERS_SCRIPTS = { 'Draft it': [{ text: 'A draft.' }], 'Write it': [{ text: 'Dear all.' }] };

const { draft, write } = LETTERS.tasks;
/** The same without anybody who decides. */
export const NOTES = { ...LETTERS, name: 'Notes', tasks: { draft: { ...draft, approval: undefined }, write } };
