// What a dialog costs in which nobody says anything: what the product holds, its garbage collected, with many and with few.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { table } from './stats.mjs';

/** Chats in which something was said before; their people are nobody's members. */
const KNOWN = Array.from({ length: 100 }, (_, index) => 1_000_000 + index);
const FIRST_NEW = 2_000_000;
/** Turns after a start, before anything is measured. */
const WARM_UP = 500;
/** Turns in chats that are known, and as many in a new chat each. */
const TURNS = 1_000;
const AT_ONCE = 100;
/** How long it is counted how much is written in a chat, and some seconds. */
const COUNTED_MS = 65_000;

export async function idle(stage, aims, count) {
  const rows = [];
  const look = async (what, dialogs) => {
    const held = await stage.held();
    rows.push([what, dialogs, held.heap.toFixed(1), held.resident.toFixed(0)]);
    process.stdout.write(`${what}: ${held.heap.toFixed(1)} MB of heap, ${held.resident.toFixed(0)} MB\n`);
    return held;
  };
  const warmUp = () => turns(stage, WARM_UP, (n) => KNOWN[n % KNOWN.length]);
  const real = Math.min(TURNS, count - KNOWN.length);

  for (const chat of KNOWN) await stage.meet(chat);
  await stage.restart();
  await warmUp();
  const begin = await look(`started, ${WARM_UP} turns`, KNOWN.length);
  await turns(stage, real, (n) => KNOWN[n % KNOWN.length]);
  const known = await look(`${real} turns more in those chats`, KNOWN.length);
  for (let n = 0; n < real; n += 1) await stage.meet(FIRST_NEW + n);
  await turns(stage, real, (n) => FIRST_NEW + n);
  await look(`${real} turns more, each in a new chat`, KNOWN.length + real);
  await sleep(COUNTED_MS);
  const opened = await look('a minute later', KNOWN.length + real);
  const settled = await stage.settle();

  await stage.restart();
  await warmUp();
  const few = await look(`started again, ${WARM_UP} turns`, KNOWN.length + real);
  let dialogs;
  await stage.restart(async () => (dialogs = await multiplied(stage, count)));
  await warmUp();
  const many = await look(`started again, ${WARM_UP} turns`, dialogs);

  process.stdout.write(`\n${table(['product, garbage collected', 'dialogs', 'heap MB', 'resident MB'], rows)}\n`);
  process.stdout.write(`\nOf ${dialogs} dialogs ${dialogs - KNOWN.length - real} are copies of the others' rows.\n`);
  const each = (more, than, of) => ((more - than) * 1_024) / of;
  aims.check('dialogs of which a workflow runs', '0', settled, settled ? '0' : 'some');
  const perTurn = each(known.heap, begin.heap, real);
  const perChat = each(opened.heap, known.heap, real);
  aims.atMost('heap that a turn leaves behind in a known chat', perTurn, 5, ' kB', 1);
  aims.atMost('heap that a turn leaves behind in a new chat', perChat, 5, ' kB', 1);
  const more = dialogs - KNOWN.length - real;
  aims.atMost('heap for an idle dialog after a start', each(many.heap, few.heap, more), 1, ' kB', 2);
  aims.atMost('resident memory for an idle dialog after a start', each(many.resident, few.resident, more), 5, ' kB', 1);
}

/** Something is said, in so many chats at a time, and answered. */
async function turns(stage, count, chatOf) {
  for (let n = 0; n < count; n += AT_ONCE) {
    const chats = Array.from({ length: Math.min(AT_ONCE, count - n) }, (_, index) => chatOf(n + index));
    await Promise.all(chats.map((chat) => stage.update(chat, '/help')));
    await stage.settle();
  }
}

/** What of a copied row is not as in the first one: expressions of SQL in which nth is the number of the copy. */
const COPIED = [
  ['chats', { id: of('id'), chat_id: of('chat_id'), user_id: of('user_id') }],
  ['dialogs', { id: of('id'), chat: of('chat') }],
  ['inbox', { id: of('id'), update_key: of('update_key'), chat: of('chat'), actor: of('actor'), state: `'done'` }],
  ['replies', { id: of('id'), chat: of('chat'), inbox_id: of('inbox_id'), actor: of('actor'), state: `'done'` }],
  ['reply_parts', { reply_id: of('reply_id'), chat: of('chat') }],
];

/** Ids stay of digits where they are, and none is another one's. */
function of(column) {
  return `original.${column} || '000000' || nth`;
}

/** Copies the rows of dialogs, with what belongs to them, until there are so many. @returns how many there are */
async function multiplied({ settings: { home, databaseUrl } }, count) {
  const database = databaseUrl ? new pg.Client(databaseUrl) : new PGlite(join(home, 'database'));
  if (databaseUrl) await database.connect();
  try {
    const counted = async () => Number((await database.query('select count(*) from chats')).rows[0].count);
    const copies = Math.ceil(count / (await counted())) - 1;
    // Parents first; of each table its own rows, before there are copies among them.
    for (const [name, changed] of copies > 0 ? COPIED : []) await database.query(copy(name, changed, copies));
    await database.query('analyze');
    return await counted();
  } finally {
    await (databaseUrl ? database.end() : database.close());
  }
}

function copy(name, changed, copies) {
  const pairs = Object.entries(changed).map(([column, value]) => `'${column}', ${value}`);
  return `
    insert into ${name}
    select made.* from ${name} original, generate_series(1, ${copies}) nth,
      jsonb_populate_record(original, jsonb_build_object(${pairs.join(', ')})) made`;
}
