import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const EVERY_MS = 700;

/** How far the messages of all chats are, as the database says: it is read again and again, and killed meanwhile. */
export class DialogProgress {
  /** Messages of which nothing more comes, by their chats. */
  over = new Map();
  rows = 0;
  movedAt = Date.now();
  isStopped = false;

  constructor(url) {
    this.url = url;
  }

  /** @param tell what is done each time it was read */
  async follow(tell) {
    for (; !this.isStopped; await sleep(EVERY_MS)) {
      await this.read().catch(() => undefined);
      tell();
    }
  }

  stop() {
    this.isStopped = true;
  }

  overIn(chat) {
    return this.over.get(String(chat)) ?? 0;
  }

  get overAll() {
    return [...this.over.values()].reduce((sum, count) => sum + count, 0);
  }

  /** For how long nothing has come in, and nothing has ended, in milliseconds. */
  get stillMs() {
    return Date.now() - this.movedAt;
  }

  async read() {
    const chats = await this.ask(
      `select c.chat_id as chat, count(*)::int as rows, (count(*) filter (where i.state in ('done', 'dropped')))::int as over
       from inbox i join chats c on c.id = i.chat group by c.chat_id`,
    );
    const before = this.rows + this.overAll;
    this.rows = chats.reduce((sum, { rows }) => sum + rows, 0);
    this.over = new Map(chats.map(({ chat, over }) => [chat, over]));
    if (this.rows + this.overAll !== before) this.movedAt = Date.now();
  }

  async ask(question) {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000, query_timeout: 20_000 });
    // It is killed under us; whoever asked is told by the question.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(question)).rows;
    } finally {
      await client.end();
    }
  }
}
