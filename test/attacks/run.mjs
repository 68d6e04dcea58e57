#!/usr/bin/env node
// try
import '../support/typescript.mjs';
const { Host, Servers } = await import('./lib/host.mjs');
const { loadAttacks } = await import('./lib/attacks.ts');
const { playAttacks } = await import('./lib/play.ts');
const names = process.argv.slice(2);
const attacks = loadAttacks().filter(
  ({ id, way, goal }) => names.length === 0 || names.some((n) => n === id || n === way || n === goal),
);
const servers = await Servers.start();
try {
  const host = await Host.open(servers, 1);
  try {
    const began = performance.now();
    const { evidence, problems } = await playAttacks(host.served, host.fake, attacks, {
      progress: (d) => process.stderr.write(`${d} `),
    });
    console.log(problems.length, 'problems', evidence.bodies.length, 'bodies', performance.now() - began);
    for (const { check, problem } of problems.slice(0, 60)) console.log(check, problem.slice(0, 500));
    for (const { attack, run, answers } of evidence.plays)
      console.log(
        attack.id,
        attack.goal,
        attack.way,
        run?.state,
        run?.error?.reason?.slice(0, 150),
        run?.steps.length,
        run?.gates
          .map((g) => `${g.id}:${g.state}`)
          .join(' ')
          .slice(0, 200),
        answers.map((a) => a.status).join(),
      );
  } finally {
    await host.close();
  }
} finally {
  await servers.stop();
}
process.exit(0);
