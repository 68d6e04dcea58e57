#!/usr/bin/env node
// The `dagi` command. It works under the host's Node 20 (which starts the pinned one) and under Node 24 (directly).
import { existsSync } from 'node:fs';
import { at, ROOT } from '../scripts/launch/paths.mjs';
import { runDagi } from '../scripts/launch/run.mjs';

if (existsSync(at('dist', 'src', 'cli', 'main.js'))) {
  await runDagi(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
} else {
  console.error(`DAGI Stack is not built: run "npm ci" (or "npm run up") in ${ROOT}.`);
  process.exitCode = 1;
}
