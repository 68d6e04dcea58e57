import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PipSource } from './pip.js';

/** A wheel with the file `demo/data.txt` (content `hello from a wheel`), as base64 of a zip archive without compression. */
const WHEEL = [
  'UEsDBBQAAAAAAAAAIQB9s114EgAAABIAAAANAAAAZGVtby9kYXRhLnR4dGhlbGxvIGZyb20gYSB3aGVlbFBLAQIUAxQAAAAAAAAA',
  'IQB9s114EgAAABIAAAANAAAAAAAAAAAAAACAAQAAAABkZW1vL2RhdGEudHh0UEsFBgAAAAABAAEAOwAAAD0AAAAAAA==',
].join('');

describe(PipSource.name, () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-pip-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A stand-in for pip: a shell script that gets pip's arguments. */
  const fakePip = async (script: string): Promise<string[]> => {
    const file = join(folder, 'fake-pip');
    await writeFile(file, `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\ndest=$2\n${script}\n`);
    await chmod(file, 0o755);
    return [file];
  };
  const fetchWith = (launchers: string[][], seen: number[] = [], idleTimeoutMs = 5_000): Promise<string> =>
    new PipSource({
      requirement: 'demo==1.0',
      entry: /^demo\/data\.txt$/,
      wheelBytes: 100,
      launchers,
      idleTimeoutMs,
    }).fetch({
      folder,
      progress: (bytes) => seen.push(bytes),
    });

  it('should take the wanted file out of the wheel', async () => {
    const pip = await fakePip(`printf '%s' "${WHEEL}" | base64 -d > "$dest/demo-1.0-py3-none-any.whl"`);
    expect(await readFile(await fetchWith([pip]), 'utf8')).toBe('hello from a wheel');
  });

  it('should pass over what is not installed, and Pythons without pip', async () => {
    const pip = await fakePip(`printf '%s' "${WHEEL}" | base64 -d > "$dest/demo-1.0-py3-none-any.whl"`);
    const bare = join(folder, 'bare-python');
    await writeFile(bare, '#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n');
    await chmod(bare, 0o755);
    await expect(fetchWith([['no-such-program-of-ours'], [bare], pip])).resolves.toMatch(/extracted$/);
  });

  it('should say that there is no pip at all', async () => {
    await expect(fetchWith([['no-such-program-of-ours']])).rejects.toThrow('neither python3 nor pip is installed');
  });

  it("should tell pip's own error", async () => {
    const pip = await fakePip('echo "WARNING: x" >&2; echo "ERROR: No matching distribution found" >&2; exit 1');
    await expect(fetchWith([pip])).rejects.toThrow('No matching distribution found');
  });

  it('should show how far it is by what pip has written so far', async () => {
    const pip = await fakePip('printf 1234567890 > "$TMPDIR/partial"; sleep 0.6; echo "ERROR: stop" >&2; exit 1');
    const seen: number[] = [];
    await expect(fetchWith([pip], seen)).rejects.toThrow('stop');
    expect(seen.at(-1)).toBeGreaterThanOrEqual(10);
  });

  it('should end a pip that hangs', async () => {
    const pip = await fakePip('exec sleep 30');
    await expect(fetchWith([pip], [], 300)).rejects.toThrow('no data arrived within 0.3 s');
  });

  it('should run pip in the folder of this attempt, and with none of our keys', async () => {
    const pip = await fakePip('{ pwd -P; env; } > seen; echo "ERROR: stop" >&2; exit 1');
    const before = process.env;
    process.env = {
      ...before,
      OPENAI_API_KEY: 'secret-of-ours',
      PYTHONPATH: '/planted',
      PIP_INDEX_URL: 'https://mirror.example.org/simple',
      https_proxy: 'http://proxy.example.org:3128',
    };
    try {
      await expect(fetchWith([pip])).rejects.toThrow('stop');
    } finally {
      process.env = before;
    }
    const [cwd, ...variables] = (await readFile(join(folder, 'seen'), 'utf8')).trim().split('\n');
    expect(cwd).toBe(await realpath(folder));
    expect(variables).toEqual(
      expect.arrayContaining([
        'PYTHONSAFEPATH=1',
        'PIP_INDEX_URL=https://mirror.example.org/simple',
        'https_proxy=http://proxy.example.org:3128',
      ]),
    );
    expect(variables.join('\n')).not.toMatch(/secret-of-ours|planted/);
  });

  it('should name a wheel that lacks the file', async () => {
    const pip = await fakePip(`printf '%s' "${WHEEL}" | base64 -d > "$dest/demo.whl"`);
    const source = new PipSource({ requirement: 'demo==1.0', entry: /other$/, wheelBytes: 1, launchers: [pip] });
    await expect(source.fetch({ folder, progress: () => undefined })).rejects.toThrow(
      'the archive holds no file other$',
    );
  });
});
