import { setTimeout as sleep } from 'node:timers/promises';
import type { SeenGate, SeenRun } from '../../../src/contracts/crew-view.js';
import type { Wishes } from '../../fakes/wishes.js';
import type { WireFake } from '../../fakes/wire-fake.js';
import { wishOf, type Attack } from './attacks.js';
import type { Answer } from './callers.js';
import { GUESSED_MARK } from './disguises.js';
import { AGREED, decisionAt, type People } from './people.js';
import { ATTACKED, PEOPLE, type Served } from './served.js';
import { wayOf, type Completion, type Hands, type Starter } from './ways.js';
import { daoOf, guestOf, World } from './world.js';

/** A decision that a person of the stage has made. */
export interface MadeDecision {
  run: string;
  gate: string;
  decision: string;
  /** The person, by the id of the DAO. */
  by: string;
}

/** An attack as it went. */
export interface Play {
  attack: Attack;
  run: SeenRun | undefined;
  /** Why the stage could not play it to its end. */
  problem: string | undefined;
  /** What the person who began it may never be told, beside what nobody may. */
  hidden: readonly string[];
  answers: Answer[];
}

/** What is done otherwise than it should be, so that checks have something to find; see plants.ts. */
export interface StagePlants {
  /** Crews in place of those of the stage. */
  crews?: Readonly<Record<string, object>>;
  /** The admin approves whatever is asked. */
  approvesAll?: boolean;
  /** The model heeds no orders. */
  isDeaf?: boolean;
  /** Done when all is ready, before the attacks. */
  ready?: (stage: Stage) => Promise<void>;
  /** Done between the two looks at what there is. */
  meanwhile?: (stage: Stage) => Promise<void>;
}

/** Long enough for programs on a machine that has other things to do. */
const END_MS = 300_000;
const LOOK_MS = 100;
/** After so many decisions in one run it is cancelled. */
const MOST_DECISIONS = 25;

/** People who begin what attackers have prepared, and decide what they are asked. */
export class Stage implements Hands {
  readonly world: World;
  readonly fake: WireFake;
  readonly decisions: MadeDecision[] = [];
  /** Files that were meant to be written, with what stands in them then. */
  readonly agreed = new Map<string, string>();
  /** What the attackers want, by attack. */
  wishes: Wishes = {};
  private readonly served: Served;
  private readonly plants: StagePlants;

  constructor(served: Served, fake: WireFake, plants: StagePlants = {}) {
    this.served = served;
    this.fake = fake;
    this.plants = plants;
    this.world = new World(served);
  }

  /** Keys and addresses, which may be seen nowhere. */
  get keys(): string[] {
    const { databaseUrl } = this.served;
    const database = new URL(databaseUrl).pathname.slice(1);
    return [...this.world.callers.keys, databaseUrl, database, this.fake.settings.apiKey];
  }

  /** Makes everything, and tells the model what the attackers want. */
  async fill(attacks: readonly Attack[]): Promise<void> {
    const { world, fake } = this;
    const { isDeaf, ready, crews } = this.plants;
    await world.fill(crews);
    for (const attack of attacks) {
      const { by, prepare } = wayOf(attack);
      if (by === 'guest') await world.addGuest(attack);
      await prepare?.(world, attack);
    }
    this.wishes = Object.fromEntries(
      attacks.map((attack) => [attack.id, wishOf(attack, world.things, wayOf(attack).propagates ?? false)]),
    );
    fake.settings = { ...fake.settings, obeys: isDeaf ? {} : this.wishes };
    await ready?.(this);
    fake.reset();
  }

  async meanwhile(): Promise<void> {
    await this.plants.meanwhile?.(this);
  }

  /** Plays an attack until it has ended. */
  async play(attack: Attack): Promise<Play> {
    let run: SeenRun | undefined;
    let problem: string | undefined;
    try {
      const id = await wayOf(attack).begin(this, attack);
      if (id !== undefined) run = await this.follow(attack, id);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const hidden = wayOf(attack).by === 'contributor' ? [] : [this.world.ownSecret];
    return { attack, run, problem, hidden, answers: this.world.callers.answersTo(attack.id) };
  }

  /** Starts a crew. @returns the id of its run */
  async start(attack: Attack, by: Starter, crew: string, inputs: object): Promise<string> {
    return this.begun(attack, by, `/crews/${crew}/runs`, { inputs });
  }

  /** Starts a crew with some inputs and, when it has ended, again with others. */
  async rerun(attack: Attack, by: Starter, crew: string, before: object, inputs: object): Promise<string> {
    const first = await this.start(attack, by, crew, before);
    await this.follow(attack, first);
    return this.begun(attack, by, `/crews/runs/${first}/rerun`, { inputs });
  }

  /** Sends a request that starts a crew. */
  route(attack: Attack, by: Starter, metadata: object): Promise<string> {
    return this.begun(attack, by, '/route', { mode: 'crew', metadata });
  }

  private async begun(attack: Attack, by: Starter, path: string, body: object): Promise<string> {
    const sent = { body, headers: { prefer: 'wait=0' }, id: attack.id };
    const { text } = await this.world.callers.call(who(attack, by), 'POST', path, sent);
    const { request_id: run } = JSON.parse(text) as { request_id?: unknown };
    if (typeof run !== 'string') throw new Error(`not begun: ${text}`);
    return run;
  }

  /** Says something in a chat, which starts no crew. */
  async chat({ id }: Attack, by: Starter, prompt: string): Promise<undefined> {
    await this.world.callers.call(`${ATTACKED}/${by}`, 'POST', '/route', { body: { prompt }, id });
    return undefined;
  }

  /** Asks as clients of OpenAI do; of a crew the id of its run is given. */
  async complete({ id }: Attack, by: Starter, body: Completion): Promise<string | undefined> {
    const { text } = await this.world.callers.call(`${ATTACKED}/${by}`, 'POST', '/v1/chat/completions', { body, id });
    const run = /"id":\s*"(?:chatcmpl-)?([0-9a-f-]{36})"/.exec(text)?.[1];
    return body.model.startsWith('crew/') ? run : undefined;
  }

  /** Looks at a run until it has ended; people decide what it asks them. */
  private async follow(attack: Attack, run: string): Promise<SeenRun> {
    const giveUpAt = Date.now() + END_MS;
    const admin = who(attack, 'admin');
    let seen: SeenRun | undefined;
    for (let decided = 0; Date.now() < giveUpAt;) {
      seen = (await this.world.callers.must(admin, 'GET', `/crews/runs/${run}`)) as unknown as SeenRun;
      if (seen.ended_at !== null) {
        await this.lookBack(attack, run);
        return seen;
      }
      const open = seen.gates.filter(({ state }) => state === 'open');
      for (const gate of open) await this.decide(attack, seen, gate);
      decided += open.length;
      if (decided > MOST_DECISIONS) await this.world.callers.must(admin, 'POST', `/crews/runs/${run}/cancel`);
      await sleep(LOOK_MS);
    }
    throw new Error(`the run ${run} did not end: ${standing(seen)}`);
  }

  /** What the person who began it is told of it in the end. */
  private async lookBack(attack: Attack, run: string): Promise<void> {
    for (const path of [`/crews/runs/${run}`, `/requests/${run}`, `/requests/${run}/events`]) {
      await this.world.callers.call(who(attack, wayOf(attack).by), 'GET', path, { id: attack.id });
    }
  }

  private async decide(attack: Attack, run: SeenRun, gate: SeenGate): Promise<void> {
    const { by, people } = wayOf(attack);
    const { role, decision, ...rest } = decisionAt(
      gate,
      knowing(run, people?.(attack)),
      this.plants.approvesAll ?? false,
    );
    const name = role === 'starter' ? by : role;
    const sent = { body: { gate: gate.id, ...rest }, id: attack.id };
    const path = `/crews/runs/${run.run_id}/${decision}`;
    const { status } = await this.world.callers.call(who(attack, name), 'POST', path, sent);
    if (status !== 200) return;
    const user = name === 'guest' ? guestOf(attack.id) : (PEOPLE[name] ?? name);
    const member = await this.memberId(run.dao_id, user);
    this.decisions.push({ run: run.run_id, gate: gate.id, decision, by: member });
    if (decision === 'approve' && gate.id.startsWith('tool.')) this.agreed.set(AGREED.path, AGREED.content);
  }

  private async memberId(dao: string, user: string): Promise<string> {
    const found = this.served.database.of(dao).selectFrom('identities').where('user_id', '=', user).select('member_id');
    return (await found.executeTakeFirst())?.member_id ?? user;
  }
}

/** What a run waits for, and since when. */
const standing = (run: SeenRun | undefined): string =>
  JSON.stringify({
    steps: run?.steps.filter(({ ended_at: end }) => end === null).map(({ step, started_at: at }) => [step, at]),
    tasks: run?.tasks.map(({ task, state, problem }) => [task, state, problem]),
    gates: run?.gates.filter(({ state }) => state === 'open').map(({ id }) => id),
  });

/** What people say, with the mark of data that whoever sees the run can read in what its agents were told. */
function knowing({ steps }: SeenRun, people: People = {}): People {
  const told = steps.flatMap(({ input }) => (input && 'messages' in input ? [input] : []));
  const mark = /\[data ([0-9a-f]{16})\b/.exec(JSON.stringify(told.at(-1) ?? {}))?.[1] ?? GUESSED_MARK;
  return JSON.parse(JSON.stringify(people).replaceAll(GUESSED_MARK, mark)) as People;
}

/** What somebody is called among the callers, by their role in an attack. */
const who = (attack: Attack, role: string): string => `${daoOf(attack)}/${role === 'guest' ? attack.id : role}`;
