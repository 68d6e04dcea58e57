import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { at, ROOT } from './paths.mjs';
import { Problem } from './problem.mjs';

const STAMP = at('node_modules', '.dagi-lock-hash');

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex');

/** Notes which lock file `node_modules` was installed from. */
export function stampInstall() {
  writeFileSync(STAMP, lockHash());
}

/** Whether `node_modules` is what the lock file asks for. */
export function isInstalled() {
  if (!existsSync(STAMP)) return matchesHiddenLock();
  return readFileSync(STAMP, 'utf8') === lockHash();
}

/**
 * npm keeps its own record of what it installed. It decides where our stamp is missing (`npm ci --ignore-scripts`), so
 * that a good installation is not made again.
 */
function matchesHiddenLock() {
  const hidden = at('node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    return found[path]
      ? found[path].version === entry.version
      : Boolean(entry.optional || entry.devOptional || entry.peer);
  });
}

/** Installs exactly what the lock file names. Must run under the launcher's lock. */
export function install() {
  console.log('Installing packages (npm ci)…');
  const startedAt = Date.now();
  const [program, ...args] = npmCommand();
  const result = spawnSync(
    program,
    [...args, 'ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: ROOT,
      stdio: 'inherit',
      // Our own `prepare` hook has nothing to do here: the launcher stamps and builds next.
      env: { ...process.env, DAGI_LAUNCHER: 'installing' },
    },
  );
  if (result.error) throw new Problem(`npm could not be started (${result.error.message}): install npm and try again.`);
  if (result.status !== 0) {
    throw new Problem(
      'The packages could not be installed (npm ci says why, above): check the network or the npm registry settings and try again.',
    );
  }
  stampInstall();
  console.log(`Packages installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The npm that started us, under the Node that it came with: ours may be a binary that `npm ci` is about to replace. */
function npmCommand() {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  return npm && /\.[cm]?js$/.test(npm) ? [node ?? process.execPath, npm] : ['npm'];
}
