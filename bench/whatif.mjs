import { cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { fromBuild } from '../test/support/parts.mjs';
import { TestPostgres } from '../test/support/postgres.ts';
import { ms, table } from './lib/stats.mjs';

const HELP = `npm run bench -- whatif [OPTIONS]

Recorded requests, read from the database and decided again under the table that decided them: how long it takes, how
many come out as recorded (all have to), and for how long the event loop is held at most. Exit code 1 if it takes five
seconds or more, or if one comes out otherwise.

  --requests N   recorded requests (10000)
  --postgres     on PostgreSQL as well as on the embedded database
`;

const AIM_MS = 5_000;
const BATCH = 500;

/** Rules as a network of DAOs has them: words, lengths, roles, choices of the request itself. */
const PROFILE = {
  version: '1',
  llm_providers: ['small', 'large', 'hosted'].map((name) => ({
    name,
    type: 'openai-compatible',
    config: { base_url: `http://${name}.invalid/v1`, model: 'm' },
  })),
  routing_rules: [
    {
      name: 'money',
      priority: 1,
      conditions: { prompt_matches: '(?i)\\b(budget|treasury|grant)\\b', role: ['admin', 'member'] },
      use_provider: 'large',
    },
    { name: 'long', priority: 2, conditions: { prompt_length: { min: 800 } }, use_provider: 'hosted' },
    {
      name: 'chosen',
      priority: 3,
      conditions: { metadata_has: ['provider'] },
      use_metadata: 'provider',
      allow: ['large', 'hosted'],
    },
    { name: 'chat', priority: 9, conditions: { mode: 'chat' }, use_provider: 'small', fallback_provider: 'hosted' },
  ],
};

const PROMPTS = [
  'What does our budget say about the new kitchen?',
  'Hello! Who may vote on proposal 12?',
  `Summarise this: ${'the farms deliver on Tuesdays and Fridays. '.repeat(25)}`,
];
const ROLES = [['member'], ['contributor'], ['admin']];

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '10000' },
      postgres: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const count = Number(values.requests);
  const rows = [await measure('embedded', count)];
  if (values.postgres) rows.push(await onPostgres(count));
  console.log(`${count} recorded requests, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}\n`);
  console.log(
    table(
      ['database', 'read and decided', 'of it deciding', 'as recorded', 'event loop held at most'],
      rows.map((row) => [row.name, ms(row.allMs), ms(row.decideMs), `${row.unchanged} of ${count}`, ms(row.heldMs)]),
    ),
  );
  if (rows.some(({ allMs, unchanged }) => allMs >= AIM_MS || unchanged !== count)) process.exitCode = 1;
}

async function onPostgres(count) {
  const server = await TestPostgres.start();
  try {
    return await measure('PostgreSQL', count, server.url);
  } finally {
    await server.stop();
  }
}

async function measure(name, count, url) {
  const { openEmbedded, openPostgres } = await fromBuild('src/adapters/store/database.js');
  const database = url === undefined ? await openEmbedded() : openPostgres(url);
  try {
    await database.migrate();
    const routing = await compiled();
    await record(database.all, routing, count);
    return { name, ...(await decideAgain(database, routing, count)) };
  } finally {
    await database.close();
  }
}

async function compiled() {
  const { buildFromText } = await fromBuild('config/loader.js');
  const { readEnv } = await fromBuild('config/env.js');
  return buildFromText(JSON.stringify(PROFILE), '/bench/profile.yml', readEnv({}), {}).routing;
}

/** What the product does for `dagi whatif`, without HTTP. */
async function decideAgain(database, routing, count) {
  const { RecordedDecisions } = await fromBuild('src/services/recorded-decisions.js');
  const { RequestsRepository } = await fromBuild('src/adapters/store/requests.repository.js');
  const { RefusalsRepository } = await fromBuild('src/adapters/store/refusals.repository.js');
  const { inSlices } = await fromBuild('src/services/slices.js');
  const { WhatIf } = await fromBuild('src/domain/whatif.js');
  const recorded = new RecordedDecisions(new RequestsRepository(database), new RefusalsRepository(database));
  const whatIf = new WhatIf({ table: routing });
  const held = monitorEventLoopDelay({ resolution: 1 });
  held.enable();
  const began = performance.now();
  let decideMs = 0;
  for await (const page of recorded.newest(count)) {
    const at = performance.now();
    await inSlices(page, (one) => whatIf.add(one));
    decideMs += performance.now() - at;
  }
  held.disable();
  const { unchanged } = whatIf.report(0);
  return { allMs: performance.now() - began, decideMs, unchanged, heldMs: held.max / 1e6 };
}

/** Writes down requests as `routing` decides them. */
async function record(db, routing, count) {
  const { decide, promptInputs } = await fromBuild('src/domain/decide.js');
  const { loadDefaultRoles } = await fromBuild('config/seed.js');
  const roles = loadDefaultRoles();
  await db.insertInto('daos').values({ id: 'dao', name: 'DAO', facts: '{}' }).execute();
  const rows = Array.from({ length: count }, (_, n) => {
    const prompt = `${PROMPTS[n % PROMPTS.length]} (${n})`;
    const metadata = n % 4 === 0 ? { provider: 'large' } : {};
    const access = {
      dao: { id: 'dao', name: 'DAO' },
      roles: ROLES[n % ROLES.length].map((role) => ({ name: role, entitlements: [...roles[role]] })),
      platformAdmin: false,
    };
    const inputs = { mode: 'chat', agent: undefined, source: 'telegram', metadata, ...promptInputs(prompt), access };
    const { decision } = decide(routing, inputs);
    return { id: `request-${n}`, at: new Date(Date.now() - n * 1_000), prompt, metadata, access, decision };
  });
  for (let at = 0; at < count; at += BATCH) await insert(db, rows.slice(at, at + BATCH));
}

async function insert(db, rows) {
  const requests = rows.map(({ id, at, metadata, access, decision }) => ({
    id,
    dao_id: 'dao',
    actor: 'tg:1',
    key_id: 'bench',
    source: 'telegram',
    mode: 'chat',
    metadata: JSON.stringify(metadata),
    access: JSON.stringify(access),
    decision: JSON.stringify(decision),
    status: 'completed',
    received_at: at,
    deadline_at: at,
    ended_at: at,
  }));
  const turns = rows.map(({ id, at, prompt }) => ({ request_id: id, dao_id: 'dao', prompt, created_at: at }));
  await db.insertInto('requests').values(requests).execute();
  await db.insertInto('turns').values(turns).execute();
}
