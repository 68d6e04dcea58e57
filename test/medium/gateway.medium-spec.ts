import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { pino } from 'pino';
import { TemporalGateway } from '../../src/adapters/temporal/gateway.js';
import { routeWorkflowId } from '../../src/contracts/ids.js';
import type { RouteRequestInput } from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { aDecision } from '../factories/requests.js';
import { temporalAddress } from '../support/temporal.js';

const input = (changes: Partial<RouteRequestInput> = {}): RouteRequestInput => ({
  version: 1,
  requestId: randomUUID(),
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  deadlineAt: Date.now() + 60_000,
  decision: aDecision(),
  ...changes,
});

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe('TemporalGateway on a real server', () => {
  let connection: Connection;
  const gateways: TemporalGateway[] = [];

  beforeAll(async () => {
    connection = await Connection.connect({ address: temporalAddress() });
  });
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.close();
  });
  afterAll(() => connection.close());

  async function connected(namespace = 'default', lines: string[] = []): Promise<TemporalGateway> {
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const gateway = new TemporalGateway({ address: temporalAddress(), namespace }, log);
    gateways.push(gateway);
    await gateway.connection();
    return gateway;
  }

  async function describeRequest(requestId: string, namespace = 'default') {
    const execution = { workflowId: routeWorkflowId(requestId) };
    return connection.workflowService.describeWorkflowExecution({ namespace, execution });
  }

  /** A namespace that nobody prepared for us. */
  async function bareNamespace(): Promise<string> {
    const namespace = `bare-${randomUUID()}`;
    const day = { seconds: 86_400 } as never;
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
    // Its other services hear of it a moment later.
    for (;;) {
      try {
        await connection.operatorService.listSearchAttributes({ namespace });
        return namespace;
      } catch {
        await sleep(100);
      }
    }
  }

  const attributesOf = async (namespace: string): Promise<string[]> => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.keys(customAttributes ?? {});
  };

  it.each([
    ['64 bytes', 'd'.repeat(64), 'd'.repeat(64)],
    ['80 bytes', 'd'.repeat(80), expect.stringMatching(/^[0-9a-f]{64}$/)],
    ['40 characters of two bytes', 'д'.repeat(40), expect.stringMatching(/^[0-9a-f]{64}$/)],
  ])('should start a request of a DAO whose id has %s', async (_name, daoId, fairnessKey) => {
    const asked = input({ daoId });
    const gateway = await connected();
    expect(await gateway.start(asked)).toBe('queued');
    const { workflowExecutionInfo } = await describeRequest(asked.requestId);
    expect(workflowExecutionInfo?.priority?.fairnessKey).toEqual(fairnessKey);
    await gateway.cancel(routeWorkflowId(asked.requestId));
  });

  it('should give a workflow a day beyond its deadline, to write down how it ended', async () => {
    const asked = input();
    const gateway = await connected();
    await gateway.start(asked);
    const { executionConfig } = await describeRequest(asked.requestId);
    const hours = tsToMs(executionConfig?.workflowRunTimeout) / 3_600_000;
    expect(hours).toBeGreaterThan(25);
    expect(hours).toBeLessThan(25.1);
    await gateway.cancel(routeWorkflowId(asked.requestId));
  });

  it('should tell whether there was a workflow to cancel', async () => {
    const asked = input();
    const gateway = await connected();
    expect(await gateway.cancel(routeWorkflowId(asked.requestId))).toBe(false);
    await gateway.start(asked);
    expect(await gateway.cancel(routeWorkflowId(asked.requestId))).toBe(true);
  });

  it('should not call a request that the server refuses an absent server', async () => {
    const gateway = await connected();
    // An id of more than a thousand bytes is an invalid argument.
    await expect(gateway.start(input({ requestId: 'x'.repeat(2_000) }))).rejects.toEqual(code('INTERNAL'));
  });

  it('should not be well where there is no namespace of ours, and say so', async () => {
    const lines: string[] = [];
    const gateway = await connected('not-there', lines);
    await gateway.ping();
    await expect(gateway.start(input())).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
    await expect(gateway.ping()).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
    expect(lines.at(-1)).toContain('no such namespace');
  });

  it('should add our search attributes to a namespace that lacks them, once', async () => {
    const namespace = await bareNamespace();
    expect(await attributesOf(namespace)).toEqual([]);
    const lines: string[] = [];
    const gateway = await connected(namespace, lines);
    expect((await attributesOf(namespace)).sort()).toEqual(Object.keys(SEARCH_ATTRIBUTES).sort());
    expect(lines).toEqual([expect.stringContaining('search attributes added')]);
    await connected(namespace, lines);
    expect(lines).toHaveLength(1);
    expect(gateway.namespace).toBe(namespace);
  });
});
