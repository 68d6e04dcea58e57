import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { until } from '../support/until.js';
import { CommandLine } from './command-line.js';
import { chatProfile, fakeProvider, Product } from './harness.js';

const DAO = 'orchard';
const MOTTO = '{"type":"set_fact","name":"motto","value":"Eat."}';

describe('proposals at the command line', () => {
  let fake: WireFake;
  let product: Product;
  let line: CommandLine;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    line = new CommandLine(product);
    await done('platform', 'dao', 'create', DAO, '--name', 'Orchard', '--admin', 'tg:1');
    await line.newKey('admin', DAO, '--principal', 'tg:1');
    for (const user of ['tg:2', 'tg:3']) {
      await done('admin', 'member', 'add', user, '--roles', 'member');
      await line.newKey(user, DAO, '--principal', user);
    }
    await line.newKey('guest', DAO, '--principal', 'tg:99');
    await done('admin', 'dao', 'set', DAO, 'settings.quorum=0', 'settings.voting_hours=1', 'settings.veto_hours=1');
  });

  afterAll(async () => {
    line.restore();
    await product.close();
    await fake.close();
  });

  const done = (by: string, ...words: string[]): Promise<string> => line.done(by, ...words);
  const create = async (by: string, ...words: string[]): Promise<string> =>
    String((await line.json(by, 'proposal', 'create', '--title', 'A motto', '--text', 'Eat.', ...words)).n);

  /** Ballots can be cast for so many seconds: fewer than anybody may settle. */
  const votingFor = (seconds: number): Promise<unknown> =>
    product.database.all
      .updateTable('daos')
      .set({ settings: JSON.stringify({ voting_hours: seconds / 3_600, quorum: 0, veto_hours: 1 }) })
      .where('id', '=', DAO)
      .execute();

  const stageOf = async (n: string): Promise<unknown> => (await line.json('guest', 'proposal', 'show', n)).stage;

  it('should be drafted, opened, voted on and counted', async () => {
    const n = await create('tg:2', '--action', MOTTO);
    expect(await done('tg:3', 'proposal', 'tally', n)).toContain(`dagi proposal open ${n}`);
    expect(await done('tg:2', 'proposal', 'open', n)).toMatch(
      /^proposal \d+: A motto\nopen, closes \S+; by p_\w+, version 2\nrules: .*quorum=0.*\naction 1: set_fact name=motto/,
    );
    expect(await done('tg:3', 'proposal', 'vote', n, 'yes')).toBe(`proposal ${n}: yes is cast, ballot 1 of yours\n`);
    expect(await done('tg:3', 'proposal', 'vote', n, 'no', '--ballot', 'b')).toContain('ballot 2 of yours');
    expect(await done('guest', 'proposal', 'tally', n)).toMatch(/^no +█{10}·{20} {2}1 +33\.3 %$/m);
    expect(await done('guest', 'proposal', 'list', '--stage', 'open')).toMatch(/^\d+ +open +closes \S+ +A motto$/m);
    const { tally } = await line.json('guest', 'proposal', 'tally', n);
    expect(tally).toMatchObject({ yes: 0, no: 1, final: false });
  });

  it('should be vetoed once it has passed, and no earlier', async () => {
    await votingFor(4);
    const n = await create('tg:2', '--open', '--action', MOTTO);
    await votingFor(3_600);
    await done('tg:3', 'proposal', 'vote', n, 'yes');
    const early = await line.dagi('admin', ['proposal', 'veto', n, '--reason', 'No.']);
    expect(early.error).toMatchObject({ code: 'PROPOSAL_STAGE', message: expect.stringContaining('It is open.') });
    await until(async () => (await stageOf(n)) === 'passed');
    const late = await line.dagi('tg:2', ['proposal', 'vote', n, 'no']);
    expect(late.error).toMatchObject({ code: 'VOTING_CLOSED', message: expect.stringContaining('It is passed.') });
    expect(await done('admin', 'proposal', 'veto', n, '--reason', 'No money.')).toContain('\nvetoed: No money.\n');
    expect(await stageOf(n)).toBe('vetoed');
  });

  it('should be taken back before anybody votes, by its author', async () => {
    const n = await create('tg:2', '--open');
    const other = await line.dagi('tg:3', ['proposal', 'withdraw', n]);
    expect(other.error).toMatchObject({ code: 'NOT_THE_AUTHOR' });
    expect(await done('tg:2', 'proposal', 'withdraw', n)).toContain('\nwithdrawn, ended ');
  });

  it('should hold no action that cannot be done, and tell which', async () => {
    const action = '{"type":"grant_role","user_id":"tg:2","role":"king"}';
    const refused = await line.dagi('tg:2', ['proposal', 'create', '--title', 'T', '--text', 'T', '--action', action]);
    expect(refused.error).toMatchObject({
      code: 'ACTION_INVALID',
      message: expect.stringContaining('It is action 1: ROLE_NOT_FOUND.'),
    });
  });
});
