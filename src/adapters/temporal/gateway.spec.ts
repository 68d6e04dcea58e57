import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WorkflowClient } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.js';
import { TemporalGateway } from './gateway.js';

type List = () => Promise<{ customAttributes: Record<string, number> }>;

const ALL = Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, 2]));

/** An error as gRPC tells it. */
const grpc = (code: number): Error => Object.assign(new Error('grpc'), { code, details: 'why', metadata: {} });

describe('TemporalGateway: its connection', () => {
  let list: jest.MockedFunction<List>;
  let add: jest.MockedFunction<(asked: object) => Promise<object>>;
  let opened: { close: jest.MockedFunction<() => Promise<void>> }[];
  let lines: string[];
  let gateway: TemporalGateway | undefined;

  beforeEach(() => {
    [opened, lines] = [[], []];
    list = jest.fn<List>().mockResolvedValue({ customAttributes: ALL });
    add = jest.fn<(asked: object) => Promise<object>>().mockResolvedValue({});
    jest.spyOn(NativeConnection, 'connect').mockImplementation(async () => {
      const operatorService = { listSearchAttributes: list, addSearchAttributes: add };
      const close = jest.fn<() => Promise<void>>();
      const withDeadline = (_at: number, call: () => Promise<unknown>): Promise<unknown> => call();
      const connection = { operatorService, workflowService: {}, close, withDeadline };
      opened.push(connection);
      return connection as unknown as NativeConnection;
    });
  });
  afterEach(async () => {
    await gateway?.close();
    jest.restoreAllMocks();
  });

  function connect(): Promise<NativeConnection> {
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    gateway = new TemporalGateway({ address: 'temporal:7233', namespace: 'ours' }, log);
    return gateway.connection();
  }

  it('adds those search attributes that are missing', async () => {
    const lacking = ['Crew', 'TokensTotal'];
    const known = Object.entries(ALL).filter(([name]) => !lacking.includes(name));
    list.mockResolvedValue({ customAttributes: Object.fromEntries(known) });
    await connect();
    expect(add).toHaveBeenCalledWith({ namespace: 'ours', searchAttributes: { Crew: 2, TokensTotal: 3 } });
  });

  it('adds nothing where nothing is missing', async () => {
    await connect();
    expect(add).not.toHaveBeenCalled();
    expect(lines).toEqual([]);
  });

  it.each([3, 5, 7, 16])('goes on without them when the server refuses them with code %d', async (code) => {
    list.mockResolvedValue({ customAttributes: {} });
    add.mockRejectedValue(grpc(code));
    await connect();
    expect(opened).toHaveLength(1);
    expect(lines).toEqual([expect.stringContaining('by hand')]);
  });

  it('tries again when the server went away meanwhile, and holds no connection from before', async () => {
    list.mockRejectedValueOnce(grpc(14));
    const connection = await connect();
    expect(opened).toHaveLength(2);
    expect(connection).toBe(opened[1]);
    expect(opened.map(({ close }) => close.mock.calls.length)).toEqual([1, 0]);
  });

  it('holds no connection that came after it was closed', async () => {
    const listing = Promise.withResolvers<{ customAttributes: Record<string, number> }>();
    list.mockReturnValueOnce(listing.promise);
    const connecting = connect();
    while (list.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gateway?.close();
    listing.resolve({ customAttributes: ALL });
    await expect(connecting).rejects.toThrow();
    expect(opened.map(({ close }) => close.mock.calls.length)).toEqual([1]);
    expect(lines).toEqual([]);
  });

  it('wakes some chats at once; a server that falls behind does not get all of them', async () => {
    await connect();
    const answers: (() => void)[] = [];
    const wake = jest
      .spyOn(WorkflowClient.prototype, 'signalWithStart')
      .mockImplementation(() => new Promise((answer) => void answers.push(answer as () => void)));
    const chats = Array.from({ length: 9 }, (_, n) => ({ source: 'tg' as const, chat: String(n), topic: '' }));
    const woken = chats.map(async (address) => gateway?.pokeDialog(address));
    const asked: number[] = [];
    while (answers.length > 0 || wake.mock.calls.length < chats.length) {
      await new Promise((resolve) => setImmediate(resolve));
      if (answers.length > 0) asked.push(answers.length);
      for (const answer of answers.splice(0)) answer();
    }
    await Promise.all(woken);
    expect(asked).toEqual([4, 4, 1]);
  });
});
