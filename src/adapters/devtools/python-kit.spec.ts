import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentReporter } from '../supply/reporter.js';
import { PythonKit, pythonFile } from './python-kit.js';
import type { PythonToolchain } from './toolchains.js';

const signal = new AbortController().signal;

describe(PythonKit.name, () => {
  let folder: string;
  let cache: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-kit-'));
    cache = join(folder, 'cache');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A Python whose pip is a shell script; the folder to fill is in `$target`. */
  const fakePython = async (script: string): Promise<PythonToolchain> => {
    const executable = join(folder, 'python3');
    const find = 'for word; do [ "$before" = --target ] && target=$word; before=$word; done';
    await writeFile(executable, `#!/bin/sh\necho "$@" >> ${folder}/calls\n${find}\n${script}\n`);
    await chmod(executable, 0o755);
    return { executable, hasPytest: false, mounts: [], path: [], env: {}, version: 'Python 3.12.1' };
  };
  const kit = (): PythonKit =>
    new PythonKit({
      name: 'demo',
      title: 'The demo',
      requirements: 'pytest-requirements.txt',
      cache,
      reporter: silentReporter,
    });
  const calls = async (): Promise<string[]> => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  const FILL = 'mkdir "$target" && echo hello > "$target/module.py"';

  it('should have pip fill a folder of the cache, with what is pinned alone', async () => {
    const ready = await kit().obtain(await fakePython(FILL), signal);
    expect(await readFile(join(ready.folder, 'module.py'), 'utf8')).toBe('hello\n');
    expect(ready.folder).toMatch(/cache\/python-demo-3\.12-\w+-[0-9a-f]{12}$/);
    expect(ready).toMatchObject({
      mount: { source: ready.folder, target: ready.folder },
      env: { PYTHONPATH: ready.folder },
    });
    const [call] = await calls();
    expect(call).toMatch(/^-m pip install .*--require-hashes --no-deps --only-binary :all:/);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('should ask pip once, for callers at once and for later ones', async () => {
    const python = await fakePython(`sleep 0.1; ${FILL}`);
    const one = kit();
    await Promise.all([one.obtain(python, signal), one.obtain(python, signal)]);
    await kit().obtain(python, signal);
    expect(await calls()).toHaveLength(1);
  });

  it('should take the folder of another process that was quicker', async () => {
    const ready = await kit().obtain(await fakePython(FILL), signal);
    await rm(ready.folder, { recursive: true });
    const quicker = await fakePython(`mkdir -p ${ready.folder}/theirs; ${FILL}`);
    await kit().obtain(quicker, signal);
    expect(await readdir(ready.folder)).toEqual(['theirs']);
  });

  it("should tell pip's own complaint with the remedy, leave nothing, and try again", async () => {
    const python = await fakePython('mkdir "$target"; echo "ERROR: No matching distribution" >&2; exit 1');
    const one = kit();
    await expect(one.obtain(python, signal)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringMatching(/^The demo could not be obtained \(No matching distribution\): connect .*pip\.$/),
    });
    expect(await readdir(cache)).toEqual([]);
    await expect(one.obtain(await fakePython(FILL), signal)).resolves.toBeDefined();
  });

  it('should say that Python has no pip', async () => {
    const python = await fakePython('echo "python3: No module named pip" >&2; exit 1');
    await expect(kit().obtain(python, signal)).rejects.toThrow('Python has no pip (python3-pip)');
  });

  it('should let a caller go who does not wait any longer, and finish the work', async () => {
    const gone = new AbortController();
    const one = kit();
    const python = await fakePython(`while [ ! -e ${folder}/go ]; do sleep 0.02; done; ${FILL}`);
    const waiting = one.obtain(python, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await writeFile(join(folder, 'go'), '');
    await expect(one.obtain(python, signal)).resolves.toBeDefined();
    expect(await calls()).toHaveLength(1);
  });

  it('should take no folder that others could have filled', async () => {
    await mkdir(cache);
    await chmod(cache, 0o777);
    await expect(kit().obtain(await fakePython(FILL), signal)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });

  it.each(['notebook', 'pytest'])('should pin every package of %s by its hash', async (name) => {
    const text = await readFile(pythonFile(`${name}-requirements.txt`), 'utf8');
    const entries = text.replace(/^#.*\n/gm, '').split(/\n(?=\S)/);
    for (const entry of entries)
      expect(entry).toMatch(/^[\w.-]+==[\w.]+( ; [^\\]+)? \\\n(\s+--hash=sha256:[0-9a-f]{64}( \\\n|\s*$))+/);
  });
});
