import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { packagePath } from '../../config/paths.js';
import { changed, CREW } from '../../test/factories/crews.js';
import { checkCrew } from './crew-check.js';
import type { DagiClient } from './client.js';
import { newCrew } from './crew-new.js';
import { deleteCrew, putCrew } from './crew-put.js';
import { buildProgram } from './program.js';

describe('dagi crew', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-test-crew-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const written = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };

  describe('check', () => {
    it('lists agents, and tasks with what they need, read, may use, give and wait for', async () => {
      const file = await written('team.yml', CREW);
      const { ok, text } = checkCrew(file, false);
      expect(ok).toBe(true);
      const lines = text.split('\n');
      expect(lines.slice(0, 5)).toEqual([
        file,
        '',
        'team: Team (parallel)',
        'inputs  topic? (the text), who? (whom it is about), count?, tags?',
        'result  title',
      ]);
      expect(lines.find((line) => line.startsWith('writer '))?.split(/ {2,}/)).toEqual([
        'writer',
        'by the rules',
        'fs_read, fs_write, ask_member',
        '6',
        '12',
        '800',
      ]);
      expect(lines.slice(lines.indexOf('tasks') + 1)).toEqual([
        '  draft (writer)',
        '      gathers  list by fs_list',
        '      gathers  files by fs_read for each of gathered.list.entries, at most 20',
        '      tools    fs_read',
        '      gives    title, parts, score, kind',
        '    judge (critic)',
        '        needs    draft',
        '        gives    role',
        '        gate     1 approval by admin, within 7 days',
        '        then     assign_role judge.role, of member, contributor',
        '',
        expect.stringMatching(/^OK: 2 agents, 2 tasks, 1 gate, version [0-9a-f]{16}$/),
        '',
      ]);
    });

    it('puts a task below the last of what it needs', () => {
      const { text } = checkCrew(packagePath('config', 'crews', 'code_review.yml'), false);
      const tasks = text.split('\n').filter((line) => /^ +\w+ \(\w+\)$/.test(line));
      expect(tasks).toEqual([
        '  review (reviewer)',
        '  check_security (security_checker)',
        '  check_performance (performance_analyzer)',
        '    recommend (reviewer)',
      ]);
    });

    it('notes who does nothing, and roles that a DAO may not have', async () => {
      const text = CREW.replace('[admin]', '[treasurer]').replace('tasks:', '  idle: { role: R, goal: G }\ntasks:');
      const lines = checkCrew(await written('notes.yml', text), false).text.split('\n');
      expect(lines.filter((line) => line.startsWith('note: '))).toEqual([
        'note: no task is done by idle',
        'note: treasurer is none of the roles that a DAO starts with: admin, member, contributor, guest',
      ]);
    });

    it('warns of what may be null, and takes the crew all the same', async () => {
      const text = CREW.replace('    tools: [fs_read]\n', '    tools: [fs_read]\n    on_failure: skip\n');
      const file = await written('skip.yml', text);
      const { ok, text: told } = checkCrew(file, false);
      expect(ok).toBe(true);
      expect(told.split('\n').filter((line) => line.startsWith('warning: '))).toEqual([
        'warning: tasks.judge.uses[0]: may be null: the task "draft" is skipped where it fails',
        'warning: result.title: may be null: the task "draft" is skipped where it fails',
      ]);
      expect(JSON.parse(checkCrew(file, true).text)).toMatchObject({
        ok: true,
        warnings: [{ path: 'tasks.judge.uses[0]' }, { path: 'result.title', message: expect.stringContaining('null') }],
      });
    });

    it('tells who decides on writes, on limits, and how often a manager does', async () => {
      const text = changed(
        ['process: parallel', 'process: hierarchical\nmanager: critic\nlimit_roles: [admin, member]'],
        ['    tools: [fs_read]\n', '    tools: [fs_write]\n    tool_approval: { ask: Well?, roles: [treasurer] }\n'],
        ['result:', 'budget: { tokens: 100 }\nresult:'],
      );
      const lines = checkCrew(await written('led.yml', text), false).text.split('\n');
      expect(lines).toContain('team: Team (hierarchical, led by critic, who decides at most 6 times)');
      expect(lines).toContain('budget  100 tokens; beyond it admin or member decides');
      expect(lines).toContain('      writes   after 1 approval by treasurer, within 7 days');
      expect(lines.filter((line) => /^(note|OK): ?/.test(line))).toEqual([
        expect.stringContaining('note: treasurer is none'),
        expect.stringContaining('2 gates'),
      ]);
    });

    it('says all that is wrong with a file, a line each', async () => {
      const file = await written('bad.yml', CREW.replace('[draft]', '[draf]').replace('who\n', 'whom\n'));
      const { ok, text } = checkCrew(file, false);
      const lines = text.trimEnd().split('\n');
      expect(ok).toBe(false);
      expect(lines[0]).toBe(`${file}:6:1: subject: there is no input "whom"; did you mean \`who\`?`);
      expect(lines.map((line) => line.replace(/^.*:\d+:\d+: ([^:]+):.*$/, '$1'))).toEqual([
        'subject',
        'tasks.judge.needs[0]',
        'tasks.judge.uses[0]',
      ]);
      expect(JSON.parse(checkCrew(file, true).text)).toEqual({ ok: false, file, errors: lines });
    });

    it('gives the same to machines, a line for each file', async () => {
      const { text } = checkCrew(await written('team.yml', CREW), true);
      expect(text.indexOf('\n')).toBe(text.length - 1);
      expect(JSON.parse(text)).toMatchObject({ ok: true, crew: 'team', notes: [], definition: { id: 'team' } });
    });

    it('ends with 1 if one of several files is wrong', async () => {
      const files = [await written('good.yml', CREW), await written('empty.yml', '')];
      const before = process.exitCode;
      const out = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
      const err = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      try {
        await buildProgram().parseAsync(['crew', 'check', ...files], { from: 'user' });
        expect(process.exitCode).toBe(1);
        expect(out.mock.calls.join('')).toContain('OK: 2 agents');
        expect(err.mock.calls.join('')).toContain('empty.yml:1:1: expected the keys of a crew');
      } finally {
        process.exitCode = before;
        out.mockRestore();
        err.mockRestore();
      }
    });
  });

  describe('new', () => {
    it('writes a file that passes the check', async () => {
      const file = join(folder, 'my_crew.yml');
      await expect(newCrew('my_crew', file)).resolves.toBe(file);
      expect(checkCrew(file, false)).toMatchObject({ ok: true, text: expect.stringContaining('\nmy_crew: My crew') });
      const [first] = (await readFile(file, 'utf8')).split('\n');
      expect(first).toBe(`# yaml-language-server: $schema=${packagePath('config', 'crew.schema.json')}`);
    });

    it('leaves a file alone that is there already', async () => {
      const file = await written('mine.yml', 'mine');
      await expect(newCrew('mine', file)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
      await expect(readFile(file, 'utf8')).resolves.toBe('mine');
    });

    it('says why it cannot write', async () => {
      const file = join(folder, 'none', 'a.yml');
      await expect(newCrew('a', file)).rejects.toThrow(`${file} cannot be written (ENOENT)`);
    });

    it('can be given to a DAO as it stands, and be taken away', async () => {
      const json = jest
        .fn<DagiClient['json']>()
        .mockResolvedValue({ version: 'abc', crew: { id: 'fresh', name: 'F' } });
      const client = { json } as unknown as DagiClient;
      const file = await newCrew('fresh', join(folder, 'fresh.yml'));
      expect((await putCrew(client, file, { dao: 'orchard', as: 'tg:1' })).text).toContain(
        'crew fresh: F, version abc',
      );
      const body = expect.objectContaining({ id: 'fresh', agents: expect.anything() });
      expect(json).toHaveBeenLastCalledWith('PUT', '/crews/fresh?dao_id=orchard&user_id=tg%3A1', { body });
      await deleteCrew(client, 'fresh');
      expect(json).toHaveBeenLastCalledWith('DELETE', '/crews/fresh', {});
      await expect(putCrew(client, await written('bad.yml', 'id: bad'))).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      expect(json).toHaveBeenCalledTimes(2);
    });

    it('takes no id that a crew cannot have', async () => {
      await expect(newCrew('item', join(folder, 'item.yml'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      const err = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      try {
        const program = buildProgram();
        await expect(program.parseAsync(['crew', 'new', 'My Crew'], { from: 'user' })).rejects.toThrow('Small letters');
      } finally {
        err.mockRestore();
      }
    });
  });
});
