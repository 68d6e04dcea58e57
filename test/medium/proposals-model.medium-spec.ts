import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Choice, Stage } from '../../src/contracts/proposal.js';
import { AppError } from '../../src/errors/app-error.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const PEOPLE = ['tg:1', 'tg:2', 'tg:3', 'tg:4'] as const;
type One = (typeof PEOPLE)[number];
const HOUR = 3_600_000;
const VOTING_HOURS = 4;
const VETO_HOURS = 2;

interface Remembered {
  stage: Stage;
  author: One;
  /** Hours until something is due. */
  left: number;
  /** Delegations as they were at the opening. */
  trust: Partial<Record<One, One | undefined>>;
  votes: Partial<Record<One, Choice>>;
  /** What the proposal would set the fact to. */
  motto: string;
}

/** The reference: a few lines on plain objects, written for one who reads the rules, not the code. */
class Reference {
  proposals: Remembered[] = [];
  trust: Partial<Record<One, One | undefined>> = {};
  motto: string | undefined;

  /** The choice that counts for a person: the own one, else that of whom they trust, and so on. */
  choiceOf({ votes, trust }: Pick<Remembered, 'votes' | 'trust'>, person: One): Choice | undefined {
    const trusted = trust[person];
    return votes[person] ?? (trusted && this.choiceOf({ votes, trust }, trusted));
  }

  /** One hour goes by for a proposal. Everybody weighs one; half must take part; more than half of yes and no decide. */
  hour(proposal: Remembered): void {
    if (!['open', 'passed'].includes(proposal.stage)) return;
    proposal.left -= 1;
    if (proposal.left > 0) return;
    if (proposal.stage === 'passed') {
      proposal.stage = 'executed';
      this.motto = proposal.motto;
      return;
    }
    const choices = PEOPLE.map((person) => this.choiceOf(proposal, person)).filter((one) => one !== undefined);
    const [yes, no] = (['yes', 'no'] as const).map((choice) => choices.filter((one) => one === choice).length);
    proposal.stage = choices.length < 2 ? 'expired' : yes! > no! ? 'passed' : 'rejected';
    proposal.left = VETO_HOURS;
  }

  /** Whether trusting somebody would come back to where it begins. */
  circles(from: One, to: One): boolean {
    return from === to || (this.trust[to] !== undefined && this.circles(from, this.trust[to]));
  }
}

type Command = fc.AsyncCommand<Reference, Assembly>;

const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

const command = (name: string, run: Command['run'], check: Command['check'] = () => true): Command => ({
  ...{ run, check, toString: () => name },
});

/** The proposal that a command means, of those that there are. */
const pick = <T>(list: readonly T[], seed: number): [T, number] => [
  list[seed % list.length]!,
  (seed % list.length) + 1,
];
const any = ({ proposals }: Reference): boolean => proposals.length > 0;

const person = fc.constantFrom(...PEOPLE);
const seed = fc.nat(1_000);

const draft = fc
  .tuple(person, fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' }))
  .map(([author, motto]) =>
    command(`${author} drafts ${motto}`, async (model, real) => {
      const actions = [{ type: 'set_fact' as const, name: 'motto', value: motto }];
      await real.proposals.create(real.key(author), {}, { title: 'T', text: 'T', actions, open: false });
      model.proposals.push({ stage: 'draft', author, left: 0, trust: {}, votes: {}, motto });
    }),
  );

const open = fc.tuple(person, seed).map(([by, at]) =>
  command(
    `${by} opens ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      const expected =
        proposal.author !== by ? 'NOT_THE_AUTHOR' : proposal.stage === 'draft' ? 'done' : 'PROPOSAL_STAGE';
      expect(await outcome(real.proposals.open(real.key(by), {}, n))).toBe(expected);
      if (expected === 'done')
        Object.assign(proposal, { stage: 'open', left: VOTING_HOURS, trust: { ...model.trust } });
    },
    any,
  ),
);

const withdraw = fc.tuple(person, seed).map(([by, at]) =>
  command(
    `${by} withdraws ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      const may = proposal.stage === 'draft' || (proposal.stage === 'open' && Object.keys(proposal.votes).length === 0);
      const expected = proposal.author !== by ? 'NOT_THE_AUTHOR' : may ? 'done' : 'PROPOSAL_STAGE';
      expect(await outcome(real.proposals.withdraw(real.key(by), {}, n))).toBe(expected);
      if (expected === 'done') proposal.stage = 'withdrawn';
    },
    any,
  ),
);

const vote = fc.tuple(person, seed, fc.constantFrom<Choice>('yes', 'yes', 'no', 'abstain')).map(([by, at, choice]) =>
  command(
    `${by} votes ${choice} on ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      const expected = ['draft', 'withdrawn'].includes(proposal.stage)
        ? 'VOTING_NOT_OPEN'
        : proposal.stage === 'open'
          ? 'done'
          : 'VOTING_CLOSED';
      expect(await outcome(real.vote(by, n, choice))).toBe(expected);
      if (expected === 'done') proposal.votes[by] = choice;
    },
    any,
  ),
);

const veto = fc.tuple(person, seed).map(([by, at]) =>
  command(
    `${by} vetoes ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      const expected =
        by !== 'tg:1' ? 'RBAC_PERMISSION_DENIED' : proposal.stage === 'passed' ? 'done' : 'PROPOSAL_STAGE';
      expect(await outcome(real.proposals.veto(real.key(by), {}, n, 'No.'))).toBe(expected);
      if (expected === 'done') proposal.stage = 'vetoed';
    },
    any,
  ),
);

const delegate = fc.tuple(person, person).map(([from, to]) =>
  command(`${from} trusts ${to}`, async (model, real) => {
    const expected = from === to ? 'DELEGATE_INVALID' : model.circles(from, to) ? 'DELEGATION_CYCLE' : 'done';
    expect(await outcome(real.delegations.delegate(real.key(from), {}, to))).toBe(expected);
    if (expected === 'done') model.trust[from] = to;
  }),
);

const takeBack = person.map((from) =>
  command(`${from} trusts nobody`, async (model, real) => {
    await real.delegations.takeBack(real.key(from), {});
    model.trust[from] = undefined;
  }),
);

const hours = fc.tuple(seed, fc.integer({ min: 1, max: 4 })).map(([at, count]) =>
  command(
    `${count} hours for ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      for (let hour = 0; hour < count; hour += 1) {
        // A little more than an hour, as the test's own time is to be none.
        await real.elapse(n, hour === 0 ? HOUR : HOUR + 1);
        await real.advancing.advance(real.daoId, n);
        model.hour(proposal);
      }
    },
    any,
  ),
);

const look = seed.map((at) =>
  command(
    `look at ${at}`,
    async (model, real) => {
      const [proposal, n] = pick(model.proposals, at);
      const { stage, result } = await real.get('tg:2', n);
      expect(stage).toBe(proposal.stage);
      const tally = await real.votes.tally(real.key('tg:2'), {}, n);
      if (result) expect(tally).toMatchObject(result);
      const count = (choice: Choice): number => PEOPLE.filter((one) => model.choiceOf(proposal, one) === choice).length;
      if (tally === null) return;
      expect(tally).toMatchObject({ yes: count('yes'), no: count('no'), abstain: count('abstain'), total: 4 });
    },
    any,
  ),
);

const [, openDatabase] = DATABASES.find(([name]) => name === 'PGlite')!;

describe('proposals, as a few lines on plain objects have them', () => {
  let fresh: Fresh;
  let runs = 0;

  beforeAll(async () => {
    fresh = await openDatabase();
  });
  afterAll(() => fresh.drop());

  const setup = async (): Promise<{ model: Reference; real: Assembly }> => {
    const real = new Assembly(fresh.database, `dao-${(runs += 1)}`);
    const settings = { voting_hours: VOTING_HOURS, veto_hours: VETO_HOURS, quorum: 0.5 };
    const members = Object.fromEntries(PEOPLE.map((one) => [one, one === 'tg:1' ? ['admin'] : ['member']]));
    await real.found(members, settings);
    return { model: new Reference(), real };
  };

  it('should be decided alike, whatever is done in whatever order', async () => {
    const commands = fc.commands(
      [draft, open, open, withdraw, vote, vote, veto, delegate, takeBack, hours, hours, look],
      {
        maxCommands: 60,
        size: 'max',
      },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        let stage: { model: Reference; real: Assembly } | undefined;
        await fc.asyncModelRun(async () => (stage = await setup()), list);
        const { model, real } = stage!;
        for (const [at, { stage: expected }] of model.proposals.entries()) {
          expect(await real.get('tg:2', at + 1)).toMatchObject({ stage: expected });
        }
        const dao = await real.database
          .of(real.daoId)
          .selectFrom('daos')
          .where('id', '=', real.daoId)
          .select('facts')
          .executeTakeFirst();
        expect(dao?.facts.motto).toBe(model.motto);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
