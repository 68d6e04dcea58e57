import { expect } from '@jest/globals';
import { readCrewText, type Known } from '../../config/crews.js';
import { AppError } from '../../src/errors/app-error.js';

/** A crew that has something of everything, and is right. */
export const CREW = `id: team
name: Team
description: A team.
process: parallel
text_input: topic
subject: who
inputs:
  type: object
  properties:
    topic: { type: string }
    who: { type: string }
    count: { type: integer }
    tags: { type: array, items: { type: string } }
agents:
  writer:
    role: Writer
    goal: Write.
    tools: [fs_read, fs_write, ask_member]
  critic:
    role: Critic
    goal: Judge.
tasks:
  draft:
    agent: writer
    instruction: Write about inputs.topic.
    uses: [inputs.topic, gathered.list]
    gather:
      - { as: list, tool: fs_list, params: { path: src, limit: 5 } }
      - { as: files, tool: fs_read, each: gathered.list.entries, params: { path: { from: item.path } } }
    tools: [fs_read]
    output:
      type: object
      properties:
        title: { type: string, maxLength: 100 }
        parts: { type: array, items: { type: object, properties: { id: { type: string }, after: { type: array, items: { type: string } } } } }
        score: { type: integer, minimum: 0, maximum: 10 }
        kind: { type: string, enum: [short, long] }
      required: [title]
    checks:
      - { check: unique, at: 'parts[].id' }
      - { check: acyclic, nodes: 'parts[].id', edges: 'parts[].after' }
      - { check: among, at: kind, values: 'inputs.tags[]' }
  judge:
    agent: critic
    instruction: Judge it.
    needs: [draft]
    uses: [draft.parts]
    output:
      type: object
      properties: { role: { type: string } }
    checks:
      - { check: role, at: role, among: [member, contributor] }
    approval: { ask: Well?, roles: [admin] }
    action: { action: assign_role, role: judge.role, assignable: [member, contributor] }
result:
  title: draft.title
`;

/** Lines of the complaint about a crew; none where it is taken. */
export const refusalOf = (text: string, known?: Known): string[] => {
  try {
    readCrewText(text, 'team.yml', known);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('CONFIG_INVALID');
    return error.message.split('\n');
  }
  return [];
};

/** The crew with some text in the place of another, which must be there. */
export function changed(...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, () => to);
  }, CREW);
}

/** What is wrong, the text in whose place another stands, and what is told of it. */
export type Row = readonly [what: string, from: string, to: string, complaint: string | RegExp];

/** Expects a complaint about the crew with one text in the place of another, and a place for each complaint. */
export function expectComplaint([, from, to, complaint]: Row): void {
  const lines = refusalOf(changed([from, to]));
  for (const line of lines) expect(line).toMatch(/^team\.yml:\d+:\d+: /);
  if (typeof complaint === 'string') expect(lines).toContain(`team.yml:${complaint}`);
  else expect(lines.find((line) => complaint.test(line)) ?? lines.join('\n')).toMatch(complaint);
}
