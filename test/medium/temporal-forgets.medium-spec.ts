import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { TemporalGateway } from '../../src/adapters/temporal/gateway.js';
import { choosePorts } from '../../src/adapters/temporal/ports.js';
import { routeWorkflowId } from '../../src/contracts/ids.js';
import type { RouteRequestInput } from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { AppError } from '../../src/errors/app-error.js';
import { aDecision } from '../factories/requests.js';

const input = (): RouteRequestInput => ({
  version: 1,
  requestId: randomUUID(),
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  deadlineAt: Date.now() + 60_000,
  decision: aDecision(),
});

/** A development server of somebody else's: in memory, and without our search attributes. */
class ForgetfulTemporal {
  private process: ChildProcess | undefined;

  private constructor(private readonly ports: Awaited<ReturnType<typeof choosePorts>>) {}

  static async prepare(): Promise<ForgetfulTemporal> {
    return new ForgetfulTemporal(await choosePorts({ grpc: 0, ui: 0 }));
  }

  get address(): string {
    return `127.0.0.1:${this.ports.grpc}`;
  }

  async start(): Promise<void> {
    const { path } = JSON.parse(process.env.TEST_TEMPORAL_CLI ?? '') as { path: string };
    const { grpc, http, metrics } = this.ports;
    const ports = ['--port', String(grpc), '--http-port', String(http), '--metrics-port', String(metrics)];
    const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--log-level', 'never', ...ports];
    this.process = spawn(path, args, { stdio: 'ignore' });
    for (;;) {
      const connection = await Connection.connect({ address: this.address, connectTimeout: 1_000 }).catch(
        () => undefined,
      );
      const serves = await connection?.workflowService
        .describeNamespace({ namespace: 'default' })
        .catch(() => undefined);
      await connection?.close();
      if (serves) return;
      await sleep(25);
    }
  }

  async kill(): Promise<void> {
    const { process: child } = this;
    if (!child) return;
    this.process = undefined;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

describe('a Temporal that forgets all when it is started again', () => {
  let temporal: ForgetfulTemporal;
  let gateway: TemporalGateway;
  const lines: string[] = [];

  beforeAll(async () => {
    temporal = await ForgetfulTemporal.prepare();
    await temporal.start();
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    gateway = new TemporalGateway({ address: temporal.address, namespace: 'default' }, log);
    await gateway.connection();
  });
  afterAll(async () => {
    await gateway.close();
    await temporal.kill();
  });

  /** How starts end until one is taken; each within two seconds. */
  async function startsUntilTaken(): Promise<{ codes: string[]; requestId: string }> {
    const codes: string[] = [];
    for (;;) {
      const [asked, began] = [input(), Date.now()];
      const outcome = await gateway.start(asked).catch((error: unknown) => error);
      expect(Date.now() - began).toBeLessThan(2_500);
      if (outcome === 'queued') return { codes, requestId: asked.requestId };
      codes.push(outcome instanceof AppError ? outcome.code : String(outcome));
      expect(codes.length).toBeLessThan(30);
    }
  }

  it('should be taught again by the requests that come, and be unavailable at most for a moment', async () => {
    await startsUntilTaken();
    for (let restart = 0; restart < 2; restart += 1) {
      await temporal.kill();
      await expect(gateway.start(input())).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
      await temporal.start();
      const { codes, requestId } = await startsUntilTaken();
      expect([...new Set(codes)]).toEqual(codes.length > 0 ? ['TEMPORAL_UNAVAILABLE'] : []);
      await gateway.ping();
      const connection = await Connection.connect({ address: temporal.address });
      try {
        const handle = new Client({ connection }).workflow.getHandle(routeWorkflowId(requestId));
        const { typedSearchAttributes } = await handle.describe();
        expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.DaoId)).toBe('greenfood-dao');
      } finally {
        await connection.close();
      }
    }
    expect(lines.filter((line) => line.includes('search attributes added'))).toHaveLength(3);
  });

  it('should teach it once, whatever number of requests find out', async () => {
    await temporal.kill();
    await temporal.start();
    const before = lines.length;
    await startsUntilTaken();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => gateway.start(input())));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(lines.slice(before).filter((line) => line.includes('search attributes added'))).toHaveLength(1);
  });
});
