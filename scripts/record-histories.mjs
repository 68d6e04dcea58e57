#!/usr/bin/env node
// Records a history of every way through the workflows, for this release: npm run record:histories [-- --again].
// Only what is missing is written. A history that was published is never replaced: if a replay fails, the workflow is
// wrong. Until the release is tagged, --again records all of its histories once more.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** The sources import each other as the compiler wants it: `.js` for what is `.ts`. */
registerHooks({
  resolve(specifier, context, next) {
    const ours = specifier.startsWith('.') && !context.parentURL?.includes('/node_modules/');
    if (!ours || !specifier.endsWith('.js')) return next(specifier, context);
    try {
      return next(specifier, context);
    } catch {
      return next(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});

function isTagged(release) {
  try {
    return execFileSync('git', ['tag', '--list', `v${release}`], { cwd: ROOT, encoding: 'utf8' }).trim() !== '';
  } catch {
    return true;
  }
}

async function main() {
  const again = process.argv.includes('--again');
  const release = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  if (again && isTagged(release)) throw new Error(`Release ${release} is tagged: its histories stay as they are.`);
  const { default: setup } = await import('../test/support/global-setup.mjs');
  const { default: teardown } = await import('../test/support/global-teardown.mjs');
  const { recordHistories } = await import('../test/replay/record.ts');
  await setup({}, { displayName: { name: 'workflow' } });
  try {
    const names = await recordHistories(release, again);
    console.log(
      names.length > 0 ? `Recorded for ${release}: ${names.join(', ')}` : `Nothing is missing for ${release}`,
    );
  } finally {
    await teardown();
  }
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
