import { describe, expect, it } from '@jest/globals';
import { aCrew, aGather, aTaskDefinition } from '../../../test/factories/crew.js';
import { PlayedRun, type Outcome, type Script } from '../../../test/factories/crew-runs.js';
import type { GatherDefinition, TaskDefinition } from '../../contracts/crew.js';
import { gather } from './gathering.js';

const LIST = aGather({ as: 'list', tool: 'fs_list', params: { path: 'src' } });
const FILES = aGather({
  as: 'files',
  tool: 'fs_read',
  each: 'gathered.list.entries',
  params: { path: { from: 'item' } },
});
const TWO = { gives: { entries: ['a', 'b', 'c'] } };
const WELL = { says: { text: 'well' } };

const runOf = (gathers: GatherDefinition[], script: Script, task: Partial<TaskDefinition> = {}): PlayedRun =>
  new PlayedRun({
    definition: aCrew({ tasks: { plan: aTaskDefinition({ gather: gathers, ...task }) } }),
    script,
  });

describe(gather.name, () => {
  it('should read one thing after the other, the items of one beside each other, before the model is asked', () => {
    const run = runOf([LIST, { ...FILES, most: 2 }], {
      'plan-1.1.g1': TWO,
      'plan-1.1.g2.1': { gives: 'A' },
      'plan-1.1.g2.2': { gives: 'B' },
      'plan-1.1.1': WELL,
    });
    expect(run.look().open).toEqual(['plan-1.1.g1']);
    expect(run.end('plan-1.1.g1').look().open).toEqual(['plan-1.1.g2.1', 'plan-1.1.g2.2']);
    expect(run.order('plan-1.1.g2.2')).toMatchObject({ kind: 'tool', tool: 'fs_read', params: { path: 'b' } });
    expect(run.end('plan-1.1.g2.2').look().open).toEqual(['plan-1.1.g2.1']);
    run.play();
    expect(run.prompt('plan-1.1.1').blocks).toEqual([
      { name: 'gathered.list', value: TWO.gives },
      { name: 'gathered.files', value: ['A', 'B'] },
    ]);
  });

  it('should gather an empty list where there is nothing to go through', () => {
    const run = runOf([LIST, FILES], { 'plan-1.1.g1': { gives: { entries: [] } }, 'plan-1.1.1': WELL }).play();
    expect(run.prompt('plan-1.1.1').blocks[1]).toEqual({ name: 'gathered.files', value: [] });
  });

  it('should read anew in each attempt', () => {
    const script: Script = ({ key }) =>
      key.includes('.g') ? { gives: key } : key.startsWith('plan-1.1') ? { fails: 'MODEL_NOT_FOUND' } : WELL;
    const run = runOf([LIST], script).play();
    expect(run.prompt('plan-1.2.1').blocks).toEqual([{ name: 'gathered.list', value: 'plan-1.2.g1' }]);
  });

  it('should go on without what is optional', () => {
    const optional = { ...LIST, optional: true };
    const run = runOf([optional], { 'plan-1.1.g1': { fails: 'PATH_DENIED' }, 'plan-1.1.1': WELL }).play();
    expect(run.prompt('plan-1.1.1').blocks).toEqual([]);
  });

  it('should leave out the entries that could not be read', () => {
    const run = runOf([LIST, { ...FILES, optional: true }], {
      'plan-1.1.g1': TWO,
      'plan-1.1.g2.1': { fails: 'FILE_NOT_FOUND' },
      'plan-1.1.g2.2': { gives: 'B' },
      'plan-1.1.g2.3': { gives: 'C' },
      'plan-1.1.1': WELL,
    }).play();
    expect(run.prompt('plan-1.1.1').blocks[1]).toEqual({ name: 'gathered.files', value: ['B', 'C'] });
  });

  const FILE = aGather({ as: 'file', tool: 'fs_read', params: { path: 'src' }, one_of: 'code' });
  const EITHER = [FILE, { ...LIST, optional: true }, { ...FILES, one_of: 'code' }];
  const GONE = { fails: 'FILE_NOT_FOUND' };

  it.each<[string, Record<string, Outcome>, string[]]>([
    ['the first', { 'plan-1.1.g1': { gives: 'F' }, 'plan-1.1.g2': GONE }, ['file', 'files']],
    ['another', { 'plan-1.1.g1': GONE, 'plan-1.1.g2': TWO, 'plan-1.1.g3.1': { gives: 'A' } }, ['list', 'files']],
  ])('should go on where one of several gives something: %s', (_name, script, blocks) => {
    const rest: Script = ({ key }) => script[key] ?? (key.includes('.g') ? GONE : WELL);
    const run = runOf(EITHER, rest).play();
    expect(run.prompt('plan-1.1.1').blocks.map(({ name }) => name)).toEqual(blocks.map((name) => `gathered.${name}`));
  });

  it('should fail where none of several gives anything, and say of each why', () => {
    const file = 'file could not be read with fs_read (FILE_NOT_FOUND): scripted FILE_NOT_FOUND';
    const empty: Script = ({ key }) => (key.endsWith('.g2') ? { gives: { entries: [] } } : GONE);
    expect(runOf(EITHER, empty, { retries: 0 }).play().final).toMatchObject({ reason: `${file}; files gave nothing` });
    const denied = runOf([FILE, { ...LIST, one_of: 'code' }], () => ({ fails: 'PATH_DENIED' }), { retries: 3 }).play();
    expect(denied.keys).toEqual(['plan-1.1.g1', 'plan-1.1.g2']);
  });

  it('should fail the attempt where something cannot be read, and try again', () => {
    const script: Script = { 'plan-1.1.g1': { fails: 'TOOL_TIMEOUT' }, 'plan-1.2.g1': TWO, 'plan-1.2.1': WELL };
    expect(runOf([LIST], script).play().final).toMatchObject({ status: 'completed' });
    const run = runOf([LIST], () => ({ fails: 'TOOL_TIMEOUT' })).play();
    expect(run.keys).toEqual(['plan-1.1.g1', 'plan-1.2.g1']);
    expect(run.final).toMatchObject({
      code: 'CREW_FAILED',
      reason: 'list could not be read with fs_list (TOOL_TIMEOUT): scripted TOOL_TIMEOUT',
    });
  });

  it.each(['RBAC_PERMISSION_DENIED', 'PATH_DENIED', 'TOOL_MISSING'])('should not try again after %s', (code) => {
    const run = runOf([LIST], () => ({ fails: code }), { retries: 3 }).play();
    expect(run.keys).toEqual(['plan-1.1.g1']);
    expect(run.final).toMatchObject({ code: 'CREW_FAILED', task: 'plan' });
  });
});
