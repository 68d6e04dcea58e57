const BODY = `name: My crew
description: Takes notes apart, and says what is to be decided.

# sequential: one task after the other. parallel: whatever has what it needs. hierarchical: as a manager says.
process: sequential

# What a run is given: JSON Schema. text_input is the one that holds the text where a run is started by words alone.
text_input: notes
inputs:
  type: object
  properties:
    notes: { type: string, minLength: 1, maxLength: 4000, description: What was said. }
  required: [notes]

# Who works. A model is told role, goal and backstory; what others wrote is never put into them.
agents:
  summarizer:
    role: Note taker
    goal: Say briefly what matters, and leave out what does not.
  adviser:
    role: Adviser
    goal: Find what has to be decided, and by whom.
    backstory: You invent nothing. What the notes do not say, you do not know.
    limits: { turns: 4, max_tokens: 500 }

# What is done. Small tasks with small outputs work best, above all with small models.
tasks:
  summarize:
    agent: summarizer
    instruction: Write three to five points that say what inputs.notes is about, each in one sentence.
    # What the agent is shown beside the instruction, as data.
    uses: [inputs.notes]
    # What must come out: JSON Schema of an object. What does not fit is sent back to be repaired.
    output:
      type: object
      properties:
        points:
          type: array
          minItems: 1
          maxItems: 5
          items: { type: string, maxLength: 200 }
      required: [points]
    checks:
      - { check: unique, at: 'points[]' }

  advise:
    agent: adviser
    instruction: >-
      List what has to be decided, at most four things, each as a question. Use nothing but summarize.points and
      gathered.facts.
    needs: [summarize]
    uses: [summarize.points]
    # What is read before the agent begins, so that it need not ask for it.
    gather:
      - { as: facts, tool: dao_facts }
    output:
      type: object
      properties:
        questions:
          type: array
          maxItems: 4
          items: { type: string, maxLength: 200 }
      required: [questions]
    # A person looks at it before the run ends. Take this away if nobody need look.
    approval:
      ask: Are these the right questions?
      roles: [admin, member]

# What the run gives, by name.
result:
  points: summarize.points
  questions: advise.questions

# Beyond this, somebody is asked whether it goes on.
budget: { tokens: 20000, time_s: 600 }
`;

/**
 * The text of a new crew's file: a small crew that passes the check, with a comment on each part.
 * @param id its id, of small letters, digits and `_`
 * @param schema path of the JSON Schema for editors
 */
export const starterCrew = (id: string, schema: string): string => `# yaml-language-server: $schema=${schema}
# A crew: agents who do tasks. All keys: docs/crews.md. Check it: npx dagi crew check ${id}.yml
id: ${id}
${BODY}`;
