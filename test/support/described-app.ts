import { channel } from 'node:diagnostics_channel';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { pino } from 'pino';
import { readEnv } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { RequestCounter } from '../../src/adapters/limits/request-counter.js';
import { withHash, type ProfileFiles } from '../../src/adapters/profile-files.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import type { TemporalGateway } from '../../src/adapters/temporal/gateway.js';
import { compose } from '../../src/compose.js';
import { createApi } from '../../src/main.js';
import { HealthService } from '../../src/services/health.service.js';
import { aDao, createDao } from '../factories/access.js';
import { openCopy } from './embedded-database.js';

/** Key of the administrator of an app that is described. */
export const ADMIN = 'key-of-the-administrator';

export interface Schema {
  [keyword: string]: unknown;
  type?: unknown;
  properties?: Record<string, Schema>;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}
interface Content {
  schema?: Schema;
  examples?: Record<string, { value: unknown }>;
}
export interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
}
/** The description, as a test reads it. */
export interface Document {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { scheme: string }> };
}

/** An app that listens nowhere, with a database of its own. */
export interface DescribedApp {
  app: NestFastifyApplication;
  routes: RouteOptions[];
  /** The same again. @param publicUrl where clients are said to reach it */
  another: (publicUrl?: string) => Promise<NestFastifyApplication>;
  close: () => Promise<void>;
}

/** Temporal that is there and does nothing: workflows are not what is described. */
const idle = new Proxy({} as TemporalGateway, {
  get: (_target, property) => (property === 'then' ? undefined : () => Promise.resolve()),
});

/** Composes the real app, but for Temporal. */
export async function describedApp(): Promise<DescribedApp> {
  const database = await openCopy('migrated');
  await createDao(database);
  const log = pino({ level: 'silent' });
  const env = readEnv({ DAGI_DEFAULT_DAO: aDao().id });
  const files = { profile: 'dev', watch: () => undefined, close: () => Promise.resolve() };
  const parts = await compose(
    {
      ...{ env, log, database, temporal: idle, modelPath: undefined },
      shared: new MemorySharedState(),
      counter: RequestCounter.inMemory(log),
      files: files as unknown as ProfileFiles,
    },
    withHash(loadConfig(env, 'dev')),
  );
  await parts.keys.putAdminKey(ADMIN);
  await new AccessRepository(database).grantPlatform('api:admin');
  const another = (publicUrl?: string): Promise<NestFastifyApplication> =>
    createApi({ ...parts.edge(), health: healthy(), log }, publicUrl);
  const { app, routes } = await watched(another);
  const close = async (): Promise<void> => {
    await app.close();
    await parts.config.close();
    await database.close();
  };
  return { app, routes, another, close };
}

const healthy = (): HealthService =>
  new HealthService(
    [],
    () => [],
    () => Promise.resolve([]),
    () => [],
    () => [],
  );

/** The app, and every route that it registered. */
async function watched(create: () => Promise<NestFastifyApplication>): Promise<Pick<DescribedApp, 'app' | 'routes'>> {
  const routes: RouteOptions[] = [];
  const created = channel('fastify.initialization');
  const listen = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => void routes.push(route));
  };
  created.subscribe(listen);
  const app = await create();
  created.unsubscribe(listen);
  await app.getHttpAdapter().getInstance().ready();
  return { app, routes };
}
