#!/usr/bin/env node
// Attempts to break out of the sandbox, as a table: what was tried, and how it was refused.
import { table } from '../../bench/lib/stats.mjs';
import { playAsAll } from './lib/start.mjs';

const HELP = `npm run sandbox [-- NAME…]

Runs programs in the sandbox that try to break out of it, to see what they must not, or to use more than they may; as this
user and, where this is root, as an ordinary one too. Exit code 1 if one of them got anywhere.
`;

const names = process.argv.slice(2);
if (names.includes('--help') || names.includes('-h')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const plays = await playAsAll(names.length > 0 ? names : undefined);
for (const { bounds, uid, rows } of plays) {
  const failed = rows.filter(({ problems }) => problems.length > 0);
  console.log(
    `\nUser ${uid}, bounds by ${bounds}: ${rows.length - failed.length} of ${rows.length} attempts refused\n`,
  );
  console.log(
    table(
      ['attempt', 'how it was refused', 'ms'],
      rows.map(({ name, refusal, ms }) => [name, refusal, String(ms)]),
    ),
  );
  for (const { name, problems } of failed) console.log(`NOT REFUSED: ${name}\n  ${problems.join('\n  ')}`);
  if (failed.length > 0 || rows.length === 0) process.exitCode = 1;
}
