import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { crewJsonSchema } from '../../config/crew-json-schema.js';
import { loadShippedCrews, readCrewText } from '../../config/crews.js';
import { boundedSchema } from '../../src/adapters/llm/embedded-schema.js';
import { CREW } from '../factories/crews.js';

const ROOT = resolve(import.meta.dirname, '../..');
const CREWS = join(ROOT, 'config', 'crews');
const FILES = readdirSync(CREWS);
const text = (file: string): string => readFileSync(join(CREWS, file), 'utf8');

describe('the JSON Schema of crews for editors', () => {
  const written = JSON.parse(readFileSync(join(ROOT, 'config', 'crew.schema.json'), 'utf8')) as object;
  const isCrew = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(written);

  it('should be the one of the reader: npm run write:schema', () => {
    expect(written).toEqual(JSON.parse(JSON.stringify(crewJsonSchema())));
  });

  it.each(FILES)('should be named by %s and take it', (file) => {
    expect(text(file)).toMatch(/^# yaml-language-server: \$schema=\.\.\/crew\.schema\.json\n/);
    isCrew(parse(text(file)));
    expect(isCrew.errors).toBeNull();
  });

  it.each([
    ['a mistyped key', 'descripton: A team.'],
    ['an unknown tool', 'tools: [fs_raed]'],
    ['an unknown check', 'checks: [{ check: uniq, at: a }]'],
    ['an unknown process', 'process: paralel'],
    ['a pattern in an output', 'output: { type: object, pattern: a }'],
  ])('should refuse %s', (_what, line) => {
    const key = line.slice(0, line.indexOf(':'));
    const sound = parse(CREW) as { tasks: { draft: object } };
    const wrong = parse(line) as object;
    const crew = ['tools', 'checks', 'output'].includes(key)
      ? { ...sound, tasks: { ...sound.tasks, draft: { ...sound.tasks.draft, ...wrong } } }
      : { ...sound, ...wrong };
    expect(isCrew(sound)).toBe(true);
    expect(isCrew(crew)).toBe(false);
  });

  it('should describe every key', () => {
    const bare: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      // Keys of `Data` are called as those of a schema are.
      const keys = path.endsWith('properties') ? Object.entries(node as Record<string, { description?: string }>) : [];
      for (const [key, below] of keys) if (typeof below.description !== 'string') bare.push(`${path}.${key}`);
      for (const [key, below] of Object.entries(node))
        visit(below, keys.length > 0 ? `${path}.${key}:` : `${path}.${key}`);
    };
    visit(written, '');
    expect(bare).toEqual([]);
  });
});

describe('the crews that come along', () => {
  const crews = loadShippedCrews();

  it('should have the agents and results that they are known for', () => {
    const known = crews.map(({ id, agents, result }) => [id, Object.keys(agents), Object.keys(result)]);
    expect(known).toEqual([
      [
        'code_review',
        ['reviewer', 'security_checker', 'performance_analyzer'],
        ['quality_score', 'security_issues', 'performance_warnings', 'recommendations'],
      ],
      [
        'microdao_onboarding',
        ['welcomer', 'role_assigner', 'guide'],
        ['welcome_message', 'suggested_role', 'next_steps'],
      ],
      [
        'proposal_review',
        ['legal_checker', 'financial_analyzer', 'impact_assessor'],
        ['legal_findings', 'financial_findings', 'impact_findings', 'recommendation', 'reasons', 'confidence'],
      ],
      [
        'task_decomposition',
        ['planner', 'estimator', 'dependency_analyzer'],
        ['subtasks', 'estimates', 'dependencies'],
      ],
    ]);
    expect(FILES.map((file) => file.replace(/\.yml$/, '')).toSorted()).toEqual(crews.map(({ id }) => id));
  });

  it('should ask the embedded model for nothing that its grammar cannot express, nor cut short', () => {
    for (const { tasks } of crews) {
      for (const { output } of Object.values(tasks)) expect(() => boundedSchema({ ...output })).not.toThrow();
    }
  });

  it('should assign roles by an admin alone, and write nothing', () => {
    const tasks = crews.flatMap(({ id, tasks }) =>
      Object.entries(tasks).map(([name, task]) => ({ id, name, ...task })),
    );
    expect(tasks.filter(({ action }) => action)).toMatchObject([
      {
        id: 'microdao_onboarding',
        name: 'suggest_role',
        approval: { roles: ['admin'], self: false },
        checks: [{ check: 'role', at: 'suggested_role', among: ['member', 'contributor'] }],
        action: { assignable: ['member', 'contributor'] },
      },
    ]);
    expect(tasks.flatMap(({ tools }) => tools)).toEqual([]);
    expect(crews.filter((crew) => crew.open_to_guests).map(({ id, subject }) => [id, subject])).toEqual([
      ['microdao_onboarding', 'user_id'],
    ]);
  });
});

describe('the crews of docs/crews.md', () => {
  const document = readFileSync(join(ROOT, 'docs', 'crews.md'), 'utf8');
  const examples = [...document.matchAll(/^```yaml\n(.*^id: [\s\S]*?)^```$/gms)].map(([, example = '']) => example);

  it('should be right', () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(readCrewText(example, 'docs/crews.md').id).toMatch(/^\w+$/);
  });
});
