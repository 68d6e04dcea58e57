import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import type { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { PoolPolicy } from '../../src/contracts/request.js';
import { AdmissionService } from '../../src/services/admission.service.js';
import { aRecord } from '../../test/factories/requests.js';
import {
  aJob,
  asked,
  end,
  GenerationStage,
  hangs,
  says,
  text,
  until,
  type Script,
} from '../../test/fakes/generation-stage.js';

const SLOTS = 3;
const pool: PoolPolicy = { name: 'http://ollama:11434', slots: SLOTS, maxWaiting: 50, maxWaitMs: 60_000 };

describe('many calls of one pool', () => {
  let shared: MemorySharedState;
  let admission: AdmissionService;
  let stages: GenerationStage[];
  /** Calls at the provider, and the most there ever were at once. */
  let running: number;
  let most: number;

  beforeEach(() => {
    shared = new MemorySharedState();
    admission = new AdmissionService(shared, pino({ level: 'silent' }));
    [stages, running, most] = [[], 0, 0];
  });
  afterEach(async () => {
    for (const { bus } of stages) bus.close();
    await admission.close();
    await shared.close();
  });

  const counted = (script: Script): Script =>
    async function* (call) {
      running += 1;
      most = Math.max(most, running);
      try {
        yield* script(call);
      } finally {
        running -= 1;
      }
    };

  /** One request in a process's worker, with everything that it did. */
  function start(requestId: string, script: Script): { stage: GenerationStage; ended: Promise<string> } {
    const stage = new GenerationStage();
    stages.push(stage);
    stage.environment = GenerationStage.environmentOf(`route/${requestId}`);
    const requests: Partial<RequestsRepository> = stage.writes(aJob({ record: aRecord({ id: requestId }) }));
    const input = asked({ requestId, step: { pool } });
    const call = stage.run(requests, counted(script), input, { admission });
    const ended = call.then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { type: string }).type,
    );
    return { stage, ended };
  }

  it('are never more at once than it has slots, whoever is cancelled when', async () => {
    const slow: Script = async function* (call) {
      await new Promise((resolve) => setImmediate(resolve));
      yield* says(text('x'), end)(call);
    };
    const calls = Array.from({ length: 24 }, (_, at) => start(`r${at}`, at % 4 === 0 ? hangs(text('half')) : slow));
    const stuck = calls.filter((_, at) => at % 4 === 0);
    // Some are cancelled while they generate, some while they wait, when the first ones have filled the pool.
    for (const [at, { stage }] of stuck.entries()) {
      await until(() => at % 2 === 1 || stage.order.includes('token'));
      stage.bus.cancel(`r${at * 4}`);
    }
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    expect(ends.filter((one) => one === 'recorded')).toHaveLength(18);
    expect(ends.filter((one) => one === 'Cancelled')).toHaveLength(6);
    expect(most).toBe(SLOTS);
    expect(running).toBe(0);
    expect(await admission.pools()).toMatchObject([{ running: 0, waiting: 0 }]);
  });

  it('tell where they stand, and those cancelled while they wait never reach the provider', async () => {
    const held = [1, 2, 3].map((at) => start(`held${at}`, hangs(text('x'))));
    for (const { stage } of held) await until(() => stage.order.includes('token'));
    const waiting = start('waiting', says(text('x'), end));
    await until(() => stages.at(-1)!.events.length > 0);
    expect(waiting.stage.events[0]).toMatchObject({
      type: 'queue',
      data: { provider: 'fake', position: 1, expected_wait_ms: expect.any(Number) },
    });
    await admission.withdraw('waiting', [pool.name]);
    expect(await waiting.ended).toBe('Cancelled');
    expect(waiting.stage.calls).toEqual([]);
    for (const [at, { stage, ended }] of held.entries()) {
      stage.bus.cancel(`held${at + 1}`);
      expect(await ended).toBe('Cancelled');
    }
  });
});
