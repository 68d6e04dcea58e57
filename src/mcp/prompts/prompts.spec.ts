import { describe, expect, it } from '@jest/globals';
import { loadShippedCrews } from '../../../config/crews.js';
import type { Proposal } from '../../contracts/proposal.js';
import { toolsOf } from '../mcp.service.js';
import type { ToolParts } from '../parts.js';
import type { Asking, Given } from './prompt.js';
import { PROMPTS } from './prompts.js';

const DAO = 'green-dao';
const SHIPPED = loadShippedCrews();

/** Somebody who asks in a DAO that has one proposal, and nothing that waits. */
const asking = (entitlements: string[] = ['chat.read']): Asking =>
  ({
    acting: { daoId: DAO, facts: { dao: { id: DAO, name: 'Green' } }, rights: { entitlements } },
    reader: { key: {}, actingIn: () => ({ daoId: DAO }) },
    parts: {
      access: { require: () => Promise.resolve() },
      daos: { get: () => Promise.resolve({ id: DAO, facts: { motto: 'Eat.' } }) },
      proposals: {
        get: () => Promise.resolve({ daoId: DAO, proposal: { n: 7, title: 'A shed' } as Proposal }),
        list: () => Promise.resolve({ items: [{ n: 7, title: 'A shed', closes_at: null }], next: '7' }),
      },
      votes: { tally: () => Promise.resolve(null) },
      runs: { asked: () => Promise.resolve([]) },
      crews: {
        get: (_key: unknown, _named: unknown, id: string) =>
          Promise.resolve({ definition: SHIPPED.find((one) => one.id === id) }),
      },
    },
  }) as unknown as Asking;

async function textOf(name: string, given: Given, by: Asking = asking()): Promise<string> {
  const messages = await PROMPTS.find((one) => one.name === name)!.messages(by, given);
  return messages
    .map(({ content }) => {
      if (content.type === 'text') return content.text;
      return content.type === 'resource' && 'text' in content.resource ? content.resource.text : '';
    })
    .join('\n');
}

const GIVEN: Readonly<Record<string, Given>> = {
  review_proposal: { number: '7' },
  onboard_me: { about: 'I grow beans.' },
  decompose_task: { task: 'Build a shed' },
  code_review: { path: 'src/' },
  whats_new: {},
  run_crew: { crew: 'task_decomposition', task: 'Build a shed' },
};

describe('prompts', () => {
  it.each(PROMPTS)('should be short, and name tools that there are: $name', async ({ name }) => {
    const text = await textOf(name, GIVEN[name]!);
    const tools = toolsOf({} as ToolParts).map((tool) => tool.name);
    const named = text.match(
      /\b(?:router|workflow|devtools|microdao|crew)_(?:call|run|task|query|status|approve|cancel)\b/g,
    );
    expect(tools).toEqual(expect.arrayContaining(named ?? ['no tool is named']));
    expect(text.length).toBeLessThan(2_000);
  });

  it('should name crews that come along, with inputs that these take', async () => {
    for (const [name, given] of Object.entries(GIVEN)) {
      const [, json] = /workflow_run with (\{.*?\}\})/.exec(await textOf(name, given)) ?? [];
      if (json === undefined) continue;
      const { workflow, inputs } = JSON.parse(json) as { workflow: string; inputs: Record<string, unknown> };
      const { properties } = SHIPPED.find(({ id }) => id === workflow)!.inputs as { properties: object };
      const { dao_id: dao, ...rest } = inputs;
      expect(dao).toBe(DAO);
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(rest)));
    }
  });

  it('should hold what is known of the DAO, to whoever may read it', async () => {
    expect(await textOf('onboard_me', {})).toContain('"motto": "Eat."');
    expect(await textOf('onboard_me', {}, asking([]))).not.toContain('motto');
    expect(await textOf('review_proposal', { number: '7' })).toContain('"title": "A shed"');
    expect(await textOf('whats_new', {})).toMatch(/"number": 7.*"more_proposals": true.*"waiting_for_me": \[\]/s);
  });
});
