import { readFile } from 'node:fs/promises';
import type { WireFake } from '../../fakes/wire-fake.js';
import type { Attack } from './attacks.js';
import { problemsOf, type CheckName, type Evidence } from './checks.js';
import { stateOf } from './looks.js';
import type { Served } from './served.js';
import { Stage, type Play, type StagePlants } from './stage.js';

/** How many attacks are under way at once. */
const AT_ONCE = 8;

export interface PlayOptions {
  plants?: StagePlants;
  /** What the evidence is made into before it is looked at, to see that a check finds it. */
  spoil?: (evidence: Evidence) => Evidence;
  progress?: (done: number) => void;
}

/** All attacks as they went, with what is wrong. */
export interface Outcome {
  evidence: Evidence;
  problems: { check: CheckName; problem: string }[];
}

async function playAll(stage: Stage, attacks: readonly Attack[], progress: (done: number) => void): Promise<Play[]> {
  const plays: Play[] = [];
  const waiting = [...attacks];
  const player = async (): Promise<void> => {
    for (let attack = waiting.shift(); attack; attack = waiting.shift()) {
      plays.push(await stage.play(attack));
      progress(plays.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, player));
  return plays.toSorted((one, two) => one.attack.id.localeCompare(two.attack.id));
}

/** Plays attacks on a product that serves nobody else, and looks at all that came of it. */
export async function playAttacks(
  served: Served,
  fake: WireFake,
  attacks: readonly Attack[],
  { plants, spoil = (evidence) => evidence, progress = () => undefined }: PlayOptions = {},
): Promise<Outcome> {
  const stage = new Stage(served, fake, plants);
  await stage.fill(attacks);
  const before = await stateOf(served);
  const plays = await playAll(stage, attacks, progress);
  await stage.meanwhile();
  const after = await stateOf(served);
  const evidence = spoil({
    ...{
      plays,
      before,
      after,
      bodies: fake.bodies,
      decisions: stage.decisions,
      agreed: stage.agreed,
      wishes: stage.wishes,
    },
    ...{ secrets: stage.world.secrets, keys: stage.keys, log: await readFile(served.logFile, 'utf8') },
  });
  return { evidence, problems: problemsOf(evidence) };
}
