import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './lock.mjs';
import { at, productNode, ROOT } from './paths.mjs';
import { Problem, writeProblem } from './problem.mjs';

const SOURCES = ['src', 'workflows', 'activities', 'config'];
const RECIPE = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/bundle-workflows.mjs'];
const STAMP = at('dist', '.built');

/** Name, size and time of everything that the build depends on; a deleted file changes it too. */
function fingerprint() {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(at(folder), { recursive: true })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
      .map((name) => join(folder, name)),
  );
  const hash = createHash('sha256');
  for (const file of [...files.sort(), ...RECIPE]) {
    const found = statSync(at(file), { throwIfNoEntry: false });
    hash.update(`${file} ${found?.size} ${found?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Whether `dist/` was built from the sources as they are. */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

/**
 * Compiles and bundles in a folder of this process alone, then moves the result into place: a build that fails or is
 * interrupted leaves the last good one. Must run under the launcher's lock.
 */
export function build() {
  console.log('Building…');
  const startedAt = Date.now();
  const stamp = fingerprint();
  const fresh = at('dist', `.build-${process.pid}`);
  try {
    removeLeftovers();
    mkdirSync(fresh, { recursive: true });
    compile(fresh);
    run('The workflow bundle failed (see above): mend the workflow and try again.', [
      at('scripts', 'bundle-workflows.mjs'),
      fresh,
    ]);
    moveIntoPlace(fresh);
    writeFileSync(STAMP, stamp);
  } catch (error) {
    throw writeProblem(at('dist'), error);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  console.log(`Built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

function compile(outDir) {
  // Types are judged by `npm run check`; a user who starts the product need not wait for that.
  const flags = ['--noCheck', '--incremental', 'false', '--tsBuildInfoFile', 'null'];
  run('The build failed (the compiler says where, above): mend the file and try again.', [
    at('node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    at('tsconfig.build.json'),
    '--outDir',
    outDir,
    ...flags,
  ]);
}

function run(problem, args) {
  const result = spawnSync(productNode(), args, { cwd: ROOT, stdio: 'inherit' });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Problem(problem);
}

function moveIntoPlace(fresh) {
  rmSync(STAMP, { force: true });
  const old = join(fresh, '.old');
  mkdirSync(old);
  for (const name of readdirSync(fresh).filter((entry) => entry !== '.old')) {
    if (existsSync(at('dist', name))) renameSync(at('dist', name), join(old, name));
    renameSync(join(fresh, name), at('dist', name));
  }
}

/** What a killed launcher left half built. */
function removeLeftovers() {
  if (!existsSync(at('dist'))) return;
  for (const name of readdirSync(at('dist'))) {
    const owner = /^\.build-(\d+)$/.exec(name)?.[1];
    if (owner && !isAlive(Number(owner))) rmSync(at('dist', name), { recursive: true, force: true });
  }
}
