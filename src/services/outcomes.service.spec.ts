import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  END_OFFSET,
  formatEventId,
  parseEventId,
  type EventPosition,
  type PositionedEvent,
} from '../contracts/events.js';
import type { CrewViewsRepository } from '../adapters/store/crew-views.repository.js';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { requestBody, routeEvent } from '../domain/bodies.js';
import { AppError } from '../errors/app-error.js';
import { aRecord } from '../../test/factories/requests.js';
import { strict } from '../../test/factories/strict.js';
import { OutcomesService } from './outcomes.service.js';

const record = (changes: Parameters<typeof aRecord>[0] = {}) => aRecord({ timings: {}, ...changes });

const answered = record({ status: 'completed', provider: 'fake', answer: 'Seven days.', finishReason: 'stop' });
const failed = record({ status: 'failed', error: { code: 'PROVIDER_FAILED', message: 'm' } });

const at = (generation: number, offset: number): EventPosition => ({ generation, offset });
const attempt = (generation: number): PositionedEvent => ({
  type: 'attempt',
  data: { provider: 'fake', generation },
  position: at(generation, 0),
});
const token = (text: string, position: EventPosition): PositionedEvent => ({ type: 'token', data: { text }, position });
const done: PositionedEvent = { type: 'done', data: requestBody(answered), position: at(1, 11) };

const never = new AbortController().signal;
const r1 = { requestId: 'r1', daoId: record().daoId, workflowId: 'route/r1' };
const here = { ...r1, here: true };
const elsewhere = { ...r1, here: false };

type Find = RequestsRepository['find'];
type Closed = TemporalGateway['closed'];
type Waits = CrewViewsRepository['waits'];

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything go on that is not waiting for a clock. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A workflow that goes on until whoever waits for it is gone. */
const open: Closed = (_id, signal) =>
  new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });

describe('OutcomesService', () => {
  let bus: InProcessTokenBus;

  beforeEach(() => {
    bus = new InProcessTokenBus();
  });
  afterEach(() => {
    bus.close();
  });

  const service = (find?: Find, closed?: Closed, waits?: Waits): OutcomesService =>
    new OutcomesService(
      strict<RequestsRepository>('requests', find ? { find } : {}),
      strict<TemporalGateway>('temporal', closed ? { closed } : {}),
      bus,
      strict<CrewViewsRepository>('runs', waits ? { waits } : {}),
    );
  const publish = (...events: PositionedEvent[]): void => {
    for (const event of events) bus.publish('r1', event);
  };
  const finds = (...found: (RequestRecord | undefined)[]): jest.MockedFunction<Find> => {
    const find = jest.fn<Find>();
    for (const one of found.slice(0, -1)) find.mockResolvedValueOnce(one);
    return find.mockResolvedValue(found.at(-1));
  };

  async function collect(
    outcomes: OutcomesService,
    request: Parameters<OutcomesService['events']>[0],
    after?: EventPosition,
    signal: AbortSignal = never,
  ): Promise<string[]> {
    const seen: string[] = [];
    for await (const event of outcomes.events(request, after, signal)) {
      const told = event.type === 'token' ? ` ${event.data.text}` : '';
      seen.push(`${event.type} ${event.position.generation}-${event.position.offset}${told}`);
    }
    return seen;
  }

  describe('body', () => {
    it('is made from the record', async () => {
      expect(await service(finds(answered)).body(r1)).toEqual(requestBody(answered));
    });

    it('is not there for a request that is not', async () => {
      await expect(service(finds(undefined)).body(r1)).rejects.toMatchObject({ code: 'REQUEST_NOT_FOUND' });
    });
  });

  describe('wait', () => {
    it('gives the body of the end event, and asks neither database nor Temporal while the bus has it', async () => {
      const waiting = service().wait(here, never);
      publish(attempt(1), token('Seven days.', at(1, 11)), done);
      expect(await waiting).toEqual(requestBody(answered));
    });

    it('gives the body so far when the limit comes first', async () => {
      const limit = new AbortController();
      const waiting = service(finds(record()), open).wait(elsewhere, limit.signal);
      publish(attempt(1));
      limit.abort();
      expect(await waiting).toMatchObject({ ok: true, status: 'running', data: null });
    });

    it('gives the body so far once nothing goes on until people decide', async () => {
      const crew = (waitsFor: 'approval' | null): PositionedEvent => ({
        type: 'crew',
        data: { task: 'plan', agent: 'planner', state: 'waiting_approval', tokens: 1, waits_for: waitsFor },
        position: at(0, 1),
      });
      const waits = jest.fn<Waits>().mockResolvedValueOnce(false).mockResolvedValue(true);
      const waiting = service(finds(record()), open, waits).wait(elsewhere, never);
      // The first was decided before the run has gone on.
      publish(crew(null), crew('approval'));
      await until(() => waits.mock.calls.length === 1);
      publish(crew('approval'));
      expect(await waiting).toMatchObject({ ok: true, status: 'running', data: null });
      expect(waits).toHaveBeenCalledTimes(2);
    });

    it('gives the body so far of a run of another process that waits for people, and only of such a one', async () => {
      const run = { ...elsewhere, workflowId: 'crew/team/r1' };
      const waits = jest.fn<Waits>().mockResolvedValue(true);
      expect(await service(finds(record()), open, waits).wait(run, never)).toMatchObject({ status: 'running' });
      expect(waits).toHaveBeenCalledWith({ runId: 'r1', daoId: r1.daoId });
      // Between two steps it looks as if nothing went on.
      waits.mockClear().mockResolvedValueOnce(true).mockRejectedValueOnce(new Error('away')).mockResolvedValue(false);
      const ending = service(finds(record()), open, waits).wait(run, never);
      await until(() => waits.mock.calls.length === 2);
      publish(done);
      expect(await ending).toEqual(requestBody(answered));
    });

    it('gives the end alone where that is asked for, whatever people are asked', async () => {
      const asks: PositionedEvent = {
        type: 'crew',
        data: { task: 'plan', agent: 'planner', state: 'waiting_approval', tokens: 1, waits_for: 'approval' },
        position: at(0, 1),
      };
      const ending = service().end(here, never);
      publish(asks, done);
      expect(await ending).toEqual(requestBody(answered));
    });

    it('gives the recorded end of a request that ended before', async () => {
      expect(await service(finds(answered)).wait(elsewhere, never)).toEqual(requestBody(answered));
      expect(await service(finds(failed)).wait(elsewhere, never)).toMatchObject({ ok: false, status: 'failed' });
    });

    it('gives the recorded end when the workflow has closed elsewhere', async () => {
      const closed = jest.fn<Closed>().mockResolvedValue(undefined);
      expect(await service(finds(record(), answered), closed).wait(elsewhere, never)).toEqual(requestBody(answered));
      expect(closed).toHaveBeenCalledTimes(1);
    });

    it('goes on waiting while the database is away', async () => {
      const find = jest.fn<Find>().mockRejectedValueOnce(new AppError('STORE_UNAVAILABLE')).mockResolvedValue(answered);
      expect(await service(find, () => Promise.resolve()).wait(elsewhere, never)).toMatchObject({
        status: 'completed',
      });
    });

    it('passes every other error on', async () => {
      const find = jest.fn<Find>().mockRejectedValue(new Error('statement is wrong'));
      await expect(service(find).wait(elsewhere, never)).rejects.toThrow('statement is wrong');
      await expect(service(finds(undefined)).wait(elsewhere, never)).rejects.toMatchObject({
        code: 'REQUEST_NOT_FOUND',
      });
    });

    it('leaves no reader and no question behind', async () => {
      let asked: AbortSignal | undefined;
      const closed: Closed = (id, signal) => {
        asked = signal;
        return open(id, signal);
      };
      const waiting = service(finds(record()), closed).wait(elsewhere, never);
      await until(() => asked !== undefined);
      publish(done);
      await waiting;
      await until(() => asked?.aborted === true);
      const { channels } = bus as unknown as { channels: Map<string, { readers: number }> };
      expect(channels.get('r1')).toMatchObject({ readers: 0 });
    });

    describe('by many at once', () => {
      /** Questions to Temporal that the test answers. */
      const asked = () => {
        const questions: (PromiseWithResolvers<undefined> & { signal: AbortSignal })[] = [];
        const closed: Closed = (_id, signal) => {
          const question = { ...Promise.withResolvers<undefined>(), signal };
          questions.push(question);
          return question.promise;
        };
        return { questions, closed };
      };
      const calls = (find: jest.MockedFunction<Find>, count: number) => until(() => find.mock.calls.length >= count);

      it('asks Temporal once for all', async () => {
        const { questions, closed } = asked();
        const find = finds(record());
        const outcomes = service(find, closed);
        const waiting = [1, 2, 3].map(() => outcomes.wait(elsewhere, never));
        await calls(find, 3);
        await settle();
        expect(questions).toHaveLength(1);
        find.mockResolvedValue(answered);
        questions[0]!.resolve(undefined);
        expect(await Promise.all(waiting)).toEqual(Array(3).fill(requestBody(answered)));
        expect((outcomes as unknown as { questions: Map<string, unknown> }).questions.size).toBe(0);
      });

      it('goes on asking while one of them waits, and not longer', async () => {
        const { questions, closed } = asked();
        const find = finds(record());
        const outcomes = service(find, closed);
        const [first, second] = [new AbortController(), new AbortController()];
        const waiting = [first, second].map(({ signal }) => outcomes.wait(elsewhere, signal));
        await calls(find, 2);
        await settle();
        first.abort();
        await waiting[0];
        expect(questions[0]!.signal.aborted).toBe(false);
        second.abort();
        await waiting[1];
        expect(questions.map(({ signal }) => signal.aborted)).toEqual([true]);
      });

      it('asks anew for those who come after an answer', async () => {
        const { questions, closed } = asked();
        const find = finds(record());
        const outcomes = service(find, closed);
        const gone = new AbortController();
        const early = outcomes.wait(elsewhere, gone.signal);
        await until(() => questions.length === 1);
        gone.abort();
        await early;
        const late = outcomes.wait(elsewhere, never);
        await until(() => questions.length === 2);
        find.mockResolvedValue(answered);
        questions[1]!.resolve(undefined);
        expect(await late).toEqual(requestBody(answered));
      });
    });

    it('asks from time to time, not without a break, for a workflow that closed without writing down its end', async () => {
      const find = finds(record());
      const limit = new AbortController();
      const waiting = service(find, () => new Promise((resolve) => setImmediate(resolve))).wait(
        elsewhere,
        limit.signal,
      );
      await until(() => find.mock.calls.length >= 2);
      await settle();
      expect(find).toHaveBeenCalledTimes(2);
      limit.abort();
      await waiting;
    });

    it('asks from time to time while Temporal is away', async () => {
      const closed = jest.fn<Closed>().mockRejectedValue(new AppError('TEMPORAL_UNAVAILABLE'));
      const limit = new AbortController();
      const waiting = service(finds(record()), closed).wait(elsewhere, limit.signal);
      await until(() => closed.mock.calls.length >= 1);
      await settle();
      expect(closed).toHaveBeenCalledTimes(1);
      limit.abort();
      await waiting;
    });
  });

  describe('events', () => {
    it('are those of the bus', async () => {
      const reading = collect(service(), here);
      publish(attempt(1), token('Seven ', at(1, 6)), token('days.', at(1, 11)), done);
      expect(await reading).toEqual(['attempt 1-0', 'token 1-6 Seven ', 'token 1-11 days.', 'done 1-11']);
    });

    it('tell where a request waits, and begin with its place anew for a reader who comes back', async () => {
      const queue = (position: number): PositionedEvent => ({
        type: 'queue',
        data: { provider: 'fake', position, expected_wait_ms: 900 },
        position: at(0, 0),
      });
      const route = routeEvent('r1', answered.decision);
      publish(queue(2), queue(1));
      const gone = new AbortController();
      const reading = collect(service(finds(record()), open), { ...elsewhere, route }, undefined, gone.signal);
      await settle();
      gone.abort();
      expect(await reading).toEqual(['route 0-0', 'queue 0-0', 'queue 0-0']);
      publish(attempt(1), token('Seven days.', at(1, 11)), done);
      const rest = ['attempt 1-0', 'token 1-11 Seven days.', 'done 1-11'];
      expect(await collect(service(), here, at(0, 0))).toEqual(['queue 0-0', 'queue 0-0', ...rest]);
      expect(await collect(service(), here, at(1, 0))).toEqual(rest.slice(1));
    });

    it('name the step that gave an answer without a provider', async () => {
      const known = record({ ...answered, provider: null, origin: { step: 'database' } });
      const events: PositionedEvent[] = [];
      for await (const event of service(finds(known)).events(elsewhere, undefined, never)) events.push(event);
      expect(events[0]).toMatchObject({ type: 'attempt', data: { provider: 'database', generation: 1 } });
    });

    it('are made up from the record where the bus has nothing', async () => {
      expect(await collect(service(finds(answered)), elsewhere)).toEqual([
        'attempt 1-0',
        'token 1-11 Seven days.',
        'done 1-11',
      ]);
    });

    it('tell from the record what was thought before what was said, once', async () => {
      const thoughtful = record({ ...answered, parts: { reasoning: 'A week.' } });
      const told = ['attempt 1-0', 'reasoning 1-0', 'token 1-11 Seven days.', 'done 1-11'];
      expect(await collect(service(finds(thoughtful)), elsewhere)).toEqual(told);
      expect(await collect(service(finds(thoughtful)), elsewhere, at(1, 0))).toEqual(told.slice(2));
    });

    it('go on from the position that the reader has seen', async () => {
      expect(await collect(service(finds(answered)), elsewhere, at(1, 6))).toEqual(['token 1-11 days.', 'done 1-11']);
      expect(await collect(service(finds(answered)), elsewhere, at(1, 11))).toEqual(['done 1-11']);
    });

    it('start afresh for a reader of an earlier run, who is told so', async () => {
      const later = { ...answered, generation: 2 };
      expect(await collect(service(finds(later)), elsewhere, at(1, 6))).toEqual([
        'attempt 2-0',
        'token 2-11 Seven days.',
        'done 2-11',
      ]);
    });

    it('make up for tokens that the bus dropped', async () => {
      publish(attempt(1), token('Seven ', at(1, 6)), done);
      expect(await collect(service(), here)).toEqual([
        'attempt 1-0',
        'token 1-6 Seven ',
        'token 1-11 days.',
        'done 1-11',
      ]);
    });

    it('end with the recorded error, without text', async () => {
      expect(await collect(service(finds(failed)), elsewhere)).toEqual(['error 1-999999999']);
    });

    it('begin with the route for a reader who was not there before', async () => {
      const route = routeEvent('r1', answered.decision);
      publish(attempt(1), token('Seven days.', at(1, 11)), done);
      const tokens = ['token 1-11 Seven days.', 'done 1-11'];
      expect(await collect(service(), { ...here, route })).toEqual(['route 0-0', 'attempt 1-0', ...tokens]);
      expect(await collect(service(), { ...here, route }, at(1, 0))).toEqual(tokens);
      expect(await collect(service(), here)).toEqual(['attempt 1-0', ...tokens]);
    });

    it('keep back what leaves a gap, and take it from the record at the end', async () => {
      // The bus let the request go while it ran, and knows only what came later.
      publish(token(' days', at(1, 10)), token('.', at(1, 11)), done);
      expect(await collect(service(), here)).toEqual(['attempt 1-0', 'token 1-11 Seven days.', 'done 1-11']);
      expect(await collect(service(), here, at(1, 3))).toEqual(['token 1-11 en days.', 'done 1-11']);
      expect(await collect(service(), here, at(1, 5))).toEqual(['token 1-10  days', 'token 1-11 .', 'done 1-11']);
    });

    it('keep back what leaves a gap in a run of which the reader has seen nothing', async () => {
      const later: PositionedEvent = { ...done, position: at(2, 11) };
      publish(attempt(2), token(' days.', at(2, 11)), later);
      expect(await collect(service(), here, at(1, 5))).toEqual(['attempt 2-0', 'token 2-11 Seven days.', 'done 2-11']);
    });

    it('repeat no tokens to a reader who comes back with the id of the error', async () => {
      const error: PositionedEvent = { type: 'error', data: requestBody(failed), position: at(1, END_OFFSET) };
      publish(attempt(1), token('Seven ', at(1, 6)), error);
      const first = await collect(service(), here);
      expect(first).toEqual(['attempt 1-0', 'token 1-6 Seven ', 'error 1-999999999']);
      expect(await collect(service(), here, parseEventId(formatEventId(error.position)))).toEqual(first.slice(-1));
    });

    it('end with the record when the end never comes over the bus', async () => {
      publish(attempt(1), token('Seven ', at(1, 6)));
      const reading = collect(
        service(finds(record(), answered), () => Promise.resolve()),
        elsewhere,
      );
      expect(await reading).toEqual(expect.arrayContaining(['token 1-11 days.', 'done 1-11']));
    });

    it('give every reader the whole text in order, however the bus and the record share it', async () => {
      for (const cut of [0, 3, 6, 11]) {
        for (const seen of [undefined, at(0, 0), at(1, 0), at(1, 3), at(1, 11)]) {
          bus.close();
          publish(attempt(1), ...(cut > 0 ? [token('Seven days.'.slice(0, cut), at(1, cut))] : []), done);
          const got = await collect(service(), here, seen);
          const text = got.filter((one) => one.startsWith('token')).map((one) => one.replace(/^token \S+ /, ''));
          // A token is sent whole or not at all, so a reader in the middle of one sees all of it.
          const from = seen?.generation === 1 ? seen.offset : 0;
          expect('Seven days.'.endsWith(text.join(''))).toBe(true);
          expect(text.join('').length).toBeGreaterThanOrEqual(11 - from);
          expect(got.at(-1)).toBe('done 1-11');
        }
      }
    });

    it('stop when the reader goes', async () => {
      const gone = new AbortController();
      const reading = collect(service(finds(record()), open), elsewhere, undefined, gone.signal);
      publish(attempt(1));
      await until(() => (bus as unknown as { channels: Map<string, unknown> }).channels.size === 1);
      gone.abort();
      expect(await reading).not.toContain('done 1-11');
    });
  });
});
