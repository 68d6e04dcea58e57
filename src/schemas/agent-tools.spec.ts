import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CREW_TOOLS, type AgentTool } from '../contracts/crew.js';
import { TOOLS } from '../contracts/devtools.js';
import { agentTools } from './agent-tools.js';

describe(agentTools.name, () => {
  const tools = agentTools();
  const ALL = [...TOOLS, ...CREW_TOOLS];
  const problems = (name: AgentTool, params: unknown): string[] => tools.get(name)!.validate(params);

  it('should hold every tool under its name', () => {
    expect([...tools.keys()]).toEqual(ALL);
    for (const [name, tool] of tools) expect(tool.name).toBe(name);
  });

  it.each(ALL)('should tell models in a sentence what it does, and what it takes: %s', (name) => {
    const { description, parameters } = tools.get(name)!;
    expect(description).toMatch(/^[A-Z].*\.$/);
    expect(parameters).toMatchObject({ type: 'object', additionalProperties: false });
    expect(() => new Ajv2020({ strict: false, validateFormats: false }).compile(parameters)).not.toThrow();
  });

  it.each<[AgentTool, Record<string, unknown>]>([
    ['fs_read', { path: 'a.txt' }],
    ['fs_write', { path: 'a.txt', content: 'hello' }],
    ['dao_facts', {}],
    ['dao_proposals', {}],
    ['dao_proposals', { n: 3 }],
    ['ask_member', { question: 'Which?' }],
  ])('should take what fits, as its schema does: %s', (name, params) => {
    expect(problems(name, params)).toEqual([]);
    const check = new Ajv2020({ strict: false, validateFormats: false }).compile(tools.get(name)!.parameters);
    expect(check(params)).toBe(true);
  });

  it.each<[AgentTool, unknown, RegExp]>([
    ['fs_read', {}, /^path: /],
    ['fs_read', { path: 7 }, /^path: /],
    ['fs_read', { path: 'a', more: 1 }, /more/],
    ['dao_facts', { more: 1 }, /more/],
    ['dao_proposals', { n: 0 }, /^n: /],
    ['dao_proposals', { n: 1.5 }, /^n: /],
    ['ask_member', { question: '' }, /^question: /],
    ['ask_member', { question: 'x'.repeat(1_001) }, /^question: /],
    ['ask_member', undefined, /./],
    ['run_tests', 'all of them', /./],
  ])('should say what does not fit: %s %j', (name, params, sentence) => {
    expect(problems(name, params)).toEqual([expect.stringMatching(sentence)]);
  });
});
