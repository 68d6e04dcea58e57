import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { TestPostgres } from '../test/support/postgres.ts';
import { Aims } from './lib/aims.mjs';
import { idle } from './lib/dialogs-idle.mjs';
import { DialogsStage, MODEL } from './lib/dialogs-stage.mjs';
import { median, ms, quantile, table } from './lib/stats.mjs';

const HELP = `npm run bench -- dialogs [OPTIONS]

Updates of Telegram at the product as "dagi up", with its platform and a model in processes of their own:

  webhook   how long until the webhook is answered with 200, which is once Temporal has accepted: at 10 updates a second,
            in a burst of 50 a second for 5 seconds, and at more, until it breaks; beside a bare signal-with-start
  tokens    how long after the model's first word a member sees words in the chat, one at a time
  idle      what dialogs cost in which nobody says anything: workflows that run, and memory of the product, its garbage
            collected, after turns in few chats and in a new one each, and after a start with 1,100 dialogs and with
            many, which are copies of those in the database

Prints tables, then each aim with PASS or MISS; ends with 1 if one is missed.

  --part NAME    webhook, tokens, idle or all (all)
  --seconds N    how long there are 10 updates a second (30)
  --idle N       how many idle dialogs, at least (10000)
  --members N    how many members write (100)
  --postgres     on PostgreSQL instead of the embedded database
`;

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string', default: 'all' },
      seconds: { type: 'string', default: '30' },
      idle: { type: 'string', default: '10000' },
      members: { type: 'string', default: '100' },
      postgres: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const postgres = values.postgres ? await TestPostgres.start({ fsync: true }) : undefined;
  const stage = await DialogsStage.open({ databaseUrl: postgres?.url, members: Number(values.members) });
  const aims = new Aims();
  const has = (part) => values.part === 'all' || values.part === part;
  try {
    if (has('webhook')) await webhook(stage, aims, Number(values.seconds));
    if (has('tokens')) await tokens(stage, aims);
    if (has('idle')) await idle(stage, aims, Number(values.idle));
  } finally {
    await stage.close();
    await postgres?.stop();
  }
  process.stdout.write(`\n${aims}\n`);
  if (aims.missed > 0) process.exitCode = 1;
}

const figures = (took) => {
  const told = took.filter((one) => !Number.isNaN(one));
  const failed = took.length - told.length;
  return [took.length, failed, ms(median(told)), ms(quantile(told, 0.95)), ms(Math.max(...told))];
};
const p95 = (took) => (took.some(Number.isNaN) ? Number.POSITIVE_INFINITY : quantile(took, 0.95));

async function webhook(stage, aims, seconds) {
  await stage.rate(10, 5);
  await stage.settle();
  const rows = [];
  const bare = await bareSignals(stage.temporalAddress(), 10, Math.min(seconds, 10));
  rows.push(['bare signal-with-start, 10/s', ...figures(bare)]);
  const steady = await stage.rate(10, seconds);
  rows.push([`webhook, 10/s for ${seconds} s`, ...figures(steady)]);
  await stage.settle();
  const burst = await stage.rate(50, 5);
  rows.push(['webhook, 50/s for 5 s', ...figures(burst)]);
  const settled = await stage.settle();
  for (const rate of [75, 100, 150, 200]) {
    const more = await stage.rate(rate, 5);
    rows.push([`webhook, ${rate}/s for 5 s`, ...figures(more)]);
    await stage.settle();
    if (p95(more) > 500) break;
  }
  process.stdout.write(`\n${table(['updates', 'sent', 'refused', 'p50 ms', 'p95 ms', 'max ms'], rows)}\n`);
  aims.atMost('webhook at 10 updates/s, p95', p95(steady), 50, ' ms', 0);
  aims.atMost('webhook in a burst of 50/s for 5 s, p95', p95(burst), 500, ' ms', 0);
  aims.check('all of the burst answered', 'yes', settled, settled ? 'yes' : 'no');
}

/** The same signal as the product's, to a workflow that nobody runs. */
async function bareSignals(address, perSecond, seconds) {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  const took = [];
  const calls = [];
  const began = performance.now();
  for (let n = 0; n < perSecond * seconds; n += 1) {
    await new Promise((done) => setTimeout(done, Math.max(0, began + (n * 1_000) / perSecond - performance.now())));
    const at = performance.now();
    const options = { args: [], signal: 'poke', taskQueue: 'nobody', workflowId: `bare/${process.pid}/${n % 100}` };
    calls.push(workflow.signalWithStart('bare', options).then(() => took.push(performance.now() - at)));
  }
  await Promise.all(calls);
  for (let n = 0; n < 100; n += 1)
    await workflow
      .getHandle(`bare/${process.pid}/${n}`)
      .terminate()
      .catch(() => undefined);
  await connection.close();
  return took;
}

/** One member after the other asks; the model's ledger tells when it was asked, and so when it said its first word. */
async function tokens(stage, aims) {
  const [waits, begins] = [[], []];
  let seen = 0;
  for (let n = 0; n < 20; n += 1) {
    const chat = stage.members[n % stage.members.length];
    const sent = Date.now();
    await stage.update(chat, `tokens #t${n}`);
    const { at, next } = await beginOf(stage, seen);
    seen = next;
    const told = await shownIn(stage, chat, `#t${n}`);
    waits.push(told - (at + MODEL.firstTokenMs));
    begins.push(at - sent);
  }
  const rows = [
    ['update to the call of the model', ms(median(begins)), ms(quantile(begins, 0.95)), ms(Math.max(...begins))],
    ['first word to words in the chat', ms(median(waits)), ms(quantile(waits, 0.95)), ms(Math.max(...waits))],
  ];
  process.stdout.write(`\n${table(['one at a time', 'p50 ms', 'p95 ms', 'max ms'], rows)}\n`);
  aims.atMost('first word of the model to words in the chat, p95', quantile(waits, 0.95), 1_000, ' ms', 0);
}

async function beginOf(stage, seen) {
  for (let after = seen; ;) {
    const response = await fetch(`${stage.model.url}/__ledger`, { method: 'POST', body: JSON.stringify({ after }) });
    const entries = await response.json();
    after += entries.length;
    const begun = entries.find(({ what }) => what === 'begun');
    if (begun) return { at: begun.at, next: after };
  }
}

/** When a message of the bot first said words, in milliseconds since 1970. */
async function shownIn(stage, chat, marker) {
  for (;;) {
    const told = await stage.telegram.transcript(chat);
    const message = told.find(({ by, versions }) => by === 'bot' && versions.some(({ text }) => text.includes(marker)));
    const first = message?.versions.find(({ text }) => text.includes('echo'));
    if (first) return first.at;
    await new Promise((done) => setTimeout(done, 20));
  }
}
