#!/usr/bin/env node
// Attempts to break out of the sandbox, as a table: what was tried, and how it was refused.
import { table } from '../../bench/lib/stats.mjs';
import { playAsAll } from './lib/start.mjs';

const HELP = `npm run sandbox [-- [--json] NAME…]

Runs programs in the sandbox that try to break out of it, to see what they must not, or to use more than they may; as this
user and, where this is root, as an ordinary one too. Exit code 1 if one of them got anywhere.
`;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const names = args.filter((arg) => arg !== '--json');
const plays = await playAsAll(names.length > 0 ? names : undefined);
if (args.includes('--json')) console.log(JSON.stringify(plays));
else plays.forEach(show);
if (plays.some(({ rows }) => rows.length === 0 || rows.some(hasProblem))) process.exitCode = 1;

function hasProblem({ problems }) {
  return problems.length > 0;
}

function show({ bounds, uid, rows }) {
  const failed = rows.filter(hasProblem);
  console.log(
    `\nUser ${uid}, bounds by ${bounds}: ${rows.length - failed.length} of ${rows.length} attempts refused\n`,
  );
  const lines = rows.map(({ name, refusal, ms }) => [name, refusal, String(ms)]);
  console.log(table(['attempt', 'how it was refused', 'ms'], lines));
  for (const { name, problems } of failed) console.log(`NOT REFUSED: ${name}\n  ${problems.join('\n  ')}`);
}
