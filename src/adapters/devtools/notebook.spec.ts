import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSandbox, LIMITS } from '../../../test/fakes/fake-sandbox.js';
import type { NotebookParams, NotebookResult, SandboxEnd } from '../../contracts/devtools.js';
import { silentReporter } from '../supply/reporter.js';
import { executeNotebook } from './notebook.js';
import { PythonKit } from './python-kit.js';
import { Toolchains } from './toolchains.js';

const code = (...outputs: unknown[]): unknown => ({ cell_type: 'code', source: 'x', outputs });
const reportOf = (cells: unknown[], end: object = { ended_by: 'exit' }): Partial<SandboxEnd> => ({
  report: JSON.stringify({ notebook: { cells, nbformat: 4 }, ...end }),
});

describe('executeNotebook', () => {
  let folder: string;
  let sandbox: FakeSandbox;
  let notebookKit: PythonKit;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-notebook-'));
    sandbox = new FakeSandbox();
    // Its pip makes an empty folder, which is all that is wanted here.
    const pip = join(folder, 'python3');
    await writeFile(pip, '#!/bin/sh\nwhile [ "$1" != --target ]; do shift; done\nmkdir "$2"\n', { mode: 0o755 });
    await mkdir(join(folder, 'cache'), { mode: 0o700 });
    notebookKit = new PythonKit({
      name: 'notebook',
      title: 'kernel',
      requirements: 'notebook-requirements.txt',
      cache: join(folder, 'cache'),
      reporter: silentReporter,
    });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (
    params: NotebookParams,
    limits = LIMITS,
    signal = new AbortController().signal,
  ): Promise<NotebookResult> => {
    const toolchains = new Toolchains(async () =>
      JSON.stringify([join(folder, 'python3'), folder, folder, '3.12.1', false]),
    );
    const place = { workspace: '/host', folder: 'reports/2026' };
    return executeNotebook(sandbox, { toolchains, notebookKit }, params, { place, limits, signal });
  };
  const NOTEBOOK = { nbformat: 4, cells: [] };

  it('should tell the outputs of code, by kind, and the executed notebook', async () => {
    const cells = [
      { cell_type: 'markdown', source: '# A' },
      code(
        { output_type: 'stream', text: ['a\n', 'b\n'] },
        { output_type: 'execute_result', data: { 'text/plain': '2' } },
      ),
      code({ output_type: 'display_data', data: { 'image/png': 'iVBOR', 'text/plain': '<Figure>' } }),
      code(),
    ];
    sandbox.next(reportOf(cells));
    expect(await run({ notebook: NOTEBOOK })).toEqual({
      success: true,
      cells: [
        {
          index: 1,
          outputs: [
            { type: 'stream', text: 'a\nb\n' },
            { type: 'result', text: '2' },
          ],
        },
        { index: 2, outputs: [{ type: 'display', text: '<Figure>', media: 'image/png' }] },
        { index: 3, outputs: [] },
      ],
      notebook: { cells, nbformat: 4 },
      ended_by: 'exit',
      output: '',
    });
  });

  it('should not be content with a cell that failed', async () => {
    const error = { output_type: 'error', ename: 'E', evalue: 'why', traceback: ['\x1b[31mline\x1b[0m', 'E: why'] };
    sandbox.next(reportOf([code(error)]));
    expect(await run({ notebook: NOTEBOOK })).toMatchObject({
      success: false,
      cells: [{ outputs: [{ type: 'error', text: 'line\nE: why' }] }],
    });
  });

  it('should hand a notebook over, or name its file from the working folder', async () => {
    sandbox.next(reportOf([])).next(reportOf([])).next(reportOf([]));
    await run({ notebook: NOTEBOOK });
    await run({ path: 'reports/2026/a.ipynb' });
    await run({ path: '-x.ipynb' });
    const [given, beside, above] = sandbox.commands;
    expect(given?.stdin).toBe(JSON.stringify(NOTEBOOK));
    expect(given?.argv[2]).toBe('-');
    expect(beside?.argv[2]).toBe('./a.ipynb');
    expect(above?.argv[2]).toBe('./../../-x.ipynb');
    expect(beside?.stdin).toBeUndefined();
  });

  it('should leave time to tell what the cells gave', async () => {
    sandbox.next(reportOf([], { ended_by: 'timeout' }));
    expect(await run({ notebook: NOTEBOOK, timeout_s: 10 })).toMatchObject({ success: false, ended_by: 'timeout' });
    expect(sandbox.commands[0]).toMatchObject({ limits: { timeoutMs: 10_000 } });
    expect(sandbox.commands[0]?.argv.at(-1)).toBe('8');
  });

  it('should not be content with a kernel that died', async () => {
    sandbox.next(reportOf([code()], { ended_by: 'exit', died: true }));
    expect(await run({ notebook: NOTEBOOK })).toMatchObject({ success: false, ended_by: 'exit' });
  });

  it('should say what is wrong with what is no notebook', async () => {
    sandbox.next({ report: JSON.stringify({ problem: 'ValueError: it is empty' }) });
    await expect(run({ path: 'a.ipynb' })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'a.ipynb could not be read as a notebook (ValueError: it is empty).',
    });
  });

  it.each([undefined, '', 'null', '[]', '{"notebook":{}}', '{"notebook":{"cells":[', '"x"'])(
    'should take a report that is none for a failure: %j',
    async (report) => {
      sandbox.next({ code: 1, output: 'Traceback\nImportError: no\n', ...(report !== undefined && { report }) });
      await expect(run({ notebook: NOTEBOOK })).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        message: 'The notebook could not be executed: ImportError: no.',
      });
    },
  );

  it('should take nothing in a report for granted', async () => {
    const cells = [null, 7, code(null, 'x', { output_type: 3, data: [] }), { cell_type: 'code', outputs: {} }];
    sandbox.next(reportOf(cells));
    expect(await run({ notebook: NOTEBOOK })).toMatchObject({
      cells: [
        { index: 2, outputs: Array(3).fill({ type: 'display', text: '' }) },
        { index: 3, outputs: [] },
      ],
    });
  });

  it('should say by what a run was ended that left no report', async () => {
    sandbox.next({ endedBy: 'memory', code: null, output: 'so far' });
    expect(await run({ notebook: NOTEBOOK })).toEqual({
      success: false,
      cells: [],
      ended_by: 'memory',
      output: 'so far',
    });
  });

  it('should bound the outputs, and leave out a notebook that is too large', async () => {
    const long = code({ output_type: 'stream', text: 'x'.repeat(50_000) });
    sandbox.next(reportOf(Array(20).fill(long)));
    const result = await run({ notebook: NOTEBOOK }, { ...LIMITS, outputBytes: 40_000, fileBytes: 500_000 });
    const texts = result.cells.flatMap(({ outputs }) => outputs.map(({ text }) => text.length));
    expect(texts.slice(0, 4)).toEqual([16_384, 16_384, 7_232, 0]);
    expect(result.notebook).toBeUndefined();
  });

  it('should end with the reason of a caller who went away', async () => {
    const gone = new AbortController();
    sandbox.next(() => {
      gone.abort(new Error('gone'));
      return { endedBy: 'cancelled', code: null };
    });
    const running = run({ notebook: NOTEBOOK }, LIMITS, gone.signal);
    await expect(running).rejects.toThrow('gone');
  });

  it('should run a driver that ships with the package', async () => {
    sandbox.next(reportOf([]));
    await run({ notebook: NOTEBOOK });
    const driver = sandbox.commands[0]?.argv[1] ?? '';
    expect(await readFile(driver, 'utf8')).toContain('NotebookClient');
    expect(sandbox.commands[0]?.mounts).toContainEqual({ source: driver, target: driver });
  });
});
