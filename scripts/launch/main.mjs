import { build, isBuilt } from './build.mjs';
import { install, isInstalled, stampInstall } from './install.mjs';
import { withLock } from './lock.mjs';
import { at, runsHere } from './paths.mjs';
import { Problem } from './problem.mjs';
import { runDagi, runScript } from './run.mjs';
import { existsSync } from 'node:fs';

const LOCK = at('dist', '.launch.lock');
const USAGE = 'Usage: node scripts/launch.mjs [--no-build] dagi ARGS… | node FILE ARGS… | prepare';

/** Installs and builds what is out of date, then runs what was asked for. */
export async function main(argv) {
  try {
    await dispatch(argv);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function dispatch(argv) {
  const noBuild = argv[0] === '--no-build';
  const [form, ...args] = noBuild ? argv.slice(1) : argv;
  if (form === 'prepare') return prepare();
  if (form === 'dagi') return runDagi(args, { here: (await makeReady(true)) && runsHere });
  if (form === 'node' && args.length > 0) {
    const here = (await makeReady(!noBuild)) && runsHere;
    return runScript(args[0], args.slice(1), { here });
  }
  throw new Problem(USAGE);
}

/** Gives false when packages were installed just now: then this process may run on a Node that was replaced. */
async function makeReady(withBuild) {
  const ready = () => isInstalled() && (!withBuild || isBuilt());
  if (ready()) return true;
  let installed = false;
  await withLock(LOCK, () => {
    // Another launcher may have done it while we waited.
    if (!isInstalled()) {
      install();
      installed = true;
    }
    if (withBuild && !isBuilt()) build();
  });
  return !installed;
}

/** After `npm ci` or `npm install`: so that `npx dagi` works at once. */
async function prepare() {
  if (process.env.DAGI_LAUNCHER === 'installing') return;
  stampInstall();
  // `--omit=dev` leaves out the compiler; such an installation brings its own dist/.
  if (!existsSync(at('node_modules', 'typescript'))) return;
  await withLock(LOCK, () => {
    if (!isBuilt()) build();
  });
}
