import type { SeenGate, SeenRun } from '../../src/contracts/crew-view.js';
import { DAO, until, type Call, type Product, type Reply } from './harness.js';

export const MEMBER = 'tg:12345';
export const CONTRIBUTOR = 'tg:222';
export const ADMIN = 'tg:1';

/** What people do with runs of crews, over HTTP, by a key that names them. */
export class CrewCalls {
  constructor(private readonly product: Product) {}

  /** Starts a run and waits for its end, or until nothing goes on without people. */
  start(crew: string, inputs: object, user = MEMBER, call: Call = {}): Promise<Reply> {
    const waiting = { headers: { prefer: 'wait=6' }, ...call };
    return this.product.call('POST', `/crews/${crew}/runs`, waiting, { dao_id: DAO, user_id: user, inputs });
  }

  async seen(id: string, user = ADMIN): Promise<SeenRun> {
    const { status, body } = await this.product.call('GET', `/crews/runs/${id}?user_id=${user}`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as unknown as SeenRun;
  }

  decide(id: string, decision: string, body: object = {}, user = ADMIN): Promise<Reply> {
    return this.product.call('POST', `/crews/runs/${id}/${decision}`, {}, { user_id: user, ...body });
  }

  /** A run once it has ended. */
  async ended(id: string): Promise<SeenRun> {
    await until(async () => (await this.seen(id)).ended_at !== null, `the end of ${id}`, 20_000);
    return this.seen(id);
  }

  /** What a run asks, once it does. */
  async asking(id: string): Promise<SeenGate> {
    await until(async () => (await this.seen(id)).gates.some(({ state }) => state === 'open'), 'a gate', 20_000);
    return (await this.seen(id)).gates.find(({ state }) => state === 'open')!;
  }

  /** Makes or replaces a crew of the DAO's own. */
  put(crew: string, definition: object): Promise<Reply> {
    return this.product.call('PUT', `/crews/${crew}?dao_id=${DAO}&user_id=${ADMIN}`, {}, definition);
  }
}
