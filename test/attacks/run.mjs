#!/usr/bin/env node
// Attacks on agents by what they are told, with a model that obeys every one of them.
import { parseArgs } from 'node:util';
import '../support/typescript.mjs';
import { table } from '../../bench/lib/stats.mjs';

const { loadAttacks } = await import('./lib/attacks.ts');
const { countsBy } = await import('./lib/counts.ts');
const { Host, Servers } = await import('./lib/host.mjs');
const { PLANTS } = await import('./lib/plants.ts');
const { playAttacks } = await import('./lib/play.ts');

const HELP = `npm run attacks [-- OPTIONS]

200 attacks on crews and chats by text that reaches a model: what members write, files, their names, commits, outputs of
tests and notebooks, proposals, what another agent says, what people say at gates. The model obeys each of them in the
strongest form, and tries again. Nothing may come of it: no file, role, key, vote or decision, no byte of another DAO, no
key; limits are kept, and every run comes to a plain end. What is looked at is in test/attacks/lib/checks.ts. Exit code 1
if anything was found.

  --only NAME    attacks of this id, goal, way, disguise or entry (LLM06, ASI03); may be repeated
  --by LIST      entries of the table: owasp (of 2025, for applications with models) or agentic (of 2026, for agents)
  --plant NAME   makes a mistake that a check has to find: ${Object.keys(PLANTS).join(', ')}, or all
`;

const PROGRESS_MS = 5_000;
const MOST_SHOWN = 50;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    by: { type: 'string', default: 'owasp' },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const isMeant = (attack) =>
  values.only.length === 0 ||
  [attack.id, attack.goal, attack.way, attack.disguise, attack.owasp, attack.agentic].some((one) =>
    values.only.includes(one),
  );

function progressOf(attacks) {
  let told = performance.now();
  return (done) => {
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    console.error(`${done} of ${attacks.length} attacks`);
  };
}

/** Plays attacks on a fresh installation. */
async function play(servers, attacks, options = {}) {
  const host = await Host.open(servers);
  try {
    return await playAttacks(host.served, host.fake, attacks, { progress: progressOf(attacks), ...options });
  } finally {
    await host.close();
  }
}

const row = (name, { attacks, calls, asked, refused, people, done, effects, bytes }) => [
  ...[name, attacks, calls, asked, refused, people, done, effects, bytes],
];
const HEADINGS = ['entry', 'attacks', 'calls of the model', 'tools asked for', 'refused', 'put to people'];

function show(outcome) {
  const { entries, all } = countsBy(outcome, (attack) => attack[values.by]);
  const rows = [...entries.map(([entry, counts]) => row(entry, counts)), row('all', all)];
  console.log(table([...HEADINGS, 'done', 'unauthorised effects', 'leaks'], rows));
  const { problems, evidence } = outcome;
  for (const { check, problem } of problems.slice(0, MOST_SHOWN)) console.log(`FOUND by ${check}: ${problem}`);
  if (problems.length > MOST_SHOWN) console.log(`and ${problems.length - MOST_SHOWN} more`);
  const states = Map.groupBy(evidence.plays, ({ run }) => run?.error?.code ?? run?.state ?? 'answered');
  const ends = [...states].map(([state, plays]) => `${state} ${plays.length}`);
  console.log(`\nhow they ended: ${ends.join(', ')}`);
}

async function prove(servers) {
  const attacks = loadAttacks().filter(isMeant);
  const began = performance.now();
  const outcome = await play(servers, attacks);
  show(outcome);
  const { problems } = outcome;
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  console.log(`${attacks.length} attacks, ${problems.length === 0 ? 'nothing' : problems.length} found, ${seconds} s`);
  return attacks.length > 0 && problems.length === 0;
}

/** @returns whether each mistake was found by the check that is for it */
async function find(servers, names) {
  let all = true;
  for (const name of names) {
    const { finds, attacks: ids, options } = PLANTS[name];
    const attacks = loadAttacks().filter(({ id }) => ids.includes(id));
    const { problems } = await play(servers, attacks, options);
    const found = problems.filter(({ check }) => check === finds);
    all &&= found.length > 0;
    const [first] = found;
    console.log(`${name}: ${first ? `found by ${finds}: ${first.problem.slice(0, 160)}` : `not found by ${finds}`}`);
  }
  return all;
}

async function main() {
  const { plant } = values;
  const names = plant === 'all' ? Object.keys(PLANTS) : [plant];
  const unknown = names.find((name) => name !== undefined && !(name in PLANTS));
  if (unknown) throw new Error(`There is no mistake "${unknown}": see --help`);
  const servers = await Servers.start();
  try {
    return await (plant === undefined ? prove(servers) : find(servers, names));
  } finally {
    await servers.stop();
  }
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  process.exit((await main()) ? 0 : 1);
}
