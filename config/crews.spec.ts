import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CrewDefinition } from '../src/contracts/crew.js';
import { CREW } from '../test/factories/crews.js';
import { crewVersion, loadShippedCrews, readCrew, readCrewFile, readCrewText } from './crews.js';

const SMALLEST = {
  id: 'small',
  name: 'Small',
  description: 'The least there can be.',
  agents: { one: { role: 'One', goal: 'Do it.' } },
  tasks: {
    only: {
      agent: 'one',
      instruction: 'Do it.',
      output: {
        type: 'object',
        properties: { b: { type: 'string' }, a: { type: 'array', items: { type: 'string' } } },
      },
      approval: { ask: 'Well?', roles: ['admin'] },
      gather: [{ as: 'facts', tool: 'dao_facts' }],
    },
  },
  result: { b: 'only.b' },
};

function definitionOf(data: unknown): CrewDefinition {
  const read = readCrew(data);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.definition;
}

describe('a crew that was read', () => {
  it('should have everything filled in that was left out', () => {
    expect(definitionOf(SMALLEST)).toEqual({
      ...SMALLEST,
      process: 'sequential',
      inputs: { type: 'object', properties: {}, required: [], additionalProperties: false },
      open_to_guests: false,
      agents: {
        one: { role: 'One', goal: 'Do it.', tools: [], limits: { turns: 6, tool_calls: 12, max_tokens: 800 } },
      },
      tasks: {
        only: {
          agent: 'one',
          instruction: 'Do it.',
          needs: [],
          uses: [],
          gather: [{ as: 'facts', tool: 'dao_facts', params: {}, most: 20, optional: false }],
          tools: [],
          unapproved_writes: false,
          output: {
            type: 'object',
            properties: {
              b: { type: 'string', maxLength: 2_000 },
              a: { type: 'array', maxItems: 50, items: { type: 'string', maxLength: 2_000 } },
            },
            required: [],
            additionalProperties: false,
          },
          checks: [],
          repairs: 2,
          retries: 1,
          max_returns: 3,
          on_failure: 'fail',
          approval: {
            ask: 'Well?',
            roles: ['admin'],
            count: 1,
            remind_after_s: 86_400,
            expires_after_s: 604_800,
            self: false,
          },
        },
      },
      budget: {},
      limit_roles: ['admin'],
      max_handoffs: 3,
    });
  });

  it('should let its manager decide three times for each task, or as often as it says', () => {
    const { only } = SMALLEST.tasks;
    const led = { ...SMALLEST, process: 'hierarchical', manager: 'one', tasks: { only, next: only } };
    expect(definitionOf(led).max_handoffs).toBe(6);
    expect(definitionOf({ ...led, max_handoffs: 200 }).max_handoffs).toBe(200);
  });

  it('should be taken again as it is given back', () => {
    const first = readCrewText(CREW, 'team.yml');
    expect(definitionOf(first)).toEqual(first);
    for (const crew of loadShippedCrews()) expect(definitionOf(JSON.parse(JSON.stringify(crew)))).toEqual(crew);
  });

  it('should not have what the sender has on its prototype, nor text that cannot be kept', () => {
    const sent: unknown = JSON.parse(
      JSON.stringify(SMALLEST).replace('"Small"', '"Sm\\u0000all"').replace('{', '{"__proto__":{"x":1},'),
    );
    expect(definitionOf(sent)).toEqual(definitionOf(SMALLEST));
  });

  it('should be told of anything without failing', () => {
    const anything = fc.jsonValue();
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(SMALLEST), 'budget', 'inputs', 'process'), anything, (key, value) => {
        const read = readCrew({ ...SMALLEST, [key]: value });
        expect('definition' in read || read.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the version of a crew', () => {
  const version = (data: object): string => crewVersion(definitionOf(data));
  const task = SMALLEST.tasks.only;
  const reversed = (object: object): object => Object.fromEntries(Object.entries(object).toReversed());

  it('should be the same for what says the same', () => {
    expect(version(SMALLEST)).toMatch(/^[0-9a-f]{16}$/);
    expect(version(reversed(SMALLEST))).toBe(version(SMALLEST));
    expect(version({ ...SMALLEST, process: 'sequential' })).toBe(version(SMALLEST));
    expect(version({ ...SMALLEST, tasks: { only: { ...task, repairs: 2 } } })).toBe(version(SMALLEST));
  });

  it('should be another where anything is, the order of tasks, results and parts of outputs among it', () => {
    const output = { ...task.output, properties: reversed(task.output.properties) };
    const two = { only: task, next: task };
    const versions = [
      SMALLEST,
      { ...SMALLEST, name: 'Other' },
      { ...SMALLEST, tasks: { only: { ...task, output } } },
      { ...SMALLEST, tasks: two },
      { ...SMALLEST, tasks: reversed(two) },
      { ...SMALLEST, result: { a: 'only.a', b: 'only.b' } },
      { ...SMALLEST, result: { b: 'only.b', a: 'only.a' } },
    ].map(version);
    expect(new Set(versions).size).toBe(versions.length);
  });
});

describe('the file of a crew', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-crews-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('should be read, as YAML and as JSON', () => {
    const [yaml, json] = [join(folder, 'a.yml'), join(folder, 'a.json')];
    writeFileSync(yaml, CREW);
    writeFileSync(json, JSON.stringify(SMALLEST, undefined, 2));
    expect(readCrewFile(yaml).id).toBe('team');
    expect(readCrewFile(json)).toEqual(definitionOf(SMALLEST));
  });

  it('should be named where it cannot be read', () => {
    expect(() => readCrewFile(join(folder, 'none.yml'))).toThrow(`${join(folder, 'none.yml')}: the file is not there`);
    expect(() => readCrewFile(folder)).toThrow('the file cannot be read (EISDIR)');
  });
});
