import 'reflect-metadata';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuid } from 'uuid';
import { authenticateCalls, type Authenticator } from './middleware/authenticate.js';
import { refuseBadAddress, refuseNoHttp } from './middleware/broken-calls.js';
import { ErrorFilter } from './middleware/error.filter.js';
import { acceptJsonBodies } from './middleware/json-body.js';
import { logCalls } from './middleware/log-calls.js';
import { withoutSpareSlashes } from './middleware/openai-errors.js';
import { ValidationPipe } from './middleware/validation.pipe.js';
import type { AccessService } from './services/access.service.js';

const REQUEST_TIMEOUT_MS = 30_000;
/** How often it is looked whether it has; Node's own 30 seconds would double it. */
const CHECK_CONNECTIONS_MS = 2_000;

export interface HttpAppOptions {
  log: Logger;
  /** Longest body, in bytes. */
  bodyLimit: number;
  authenticator: Authenticator;
  access: AccessService;
  /** Further hooks, before routes are there. */
  guard: (server: FastifyInstance) => void;
}

/** An HTTP server of ours, without its routes' descriptions and not yet listening: safe limits, one log line a call, keys. */
export async function createHttpApp(module: DynamicModule, options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { log, bodyLimit, authenticator, access, guard } = options;
  const adapter = new FastifyAdapter({
    bodyLimit,
    genReqId: () => uuid(),
    logger: false,
    rewriteUrl: ({ url = '/' }) => withoutSpareSlashes(url),
    frameworkErrors: refuseBadAddress(log),
    clientErrorHandler: refuseNoHttp,
    forceCloseConnections: 'idle',
    // For the whole of a request to arrive: a body that drips in holds its connection no longer than that.
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Of two times that are the wrong way round, Node takes each for the other.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CHECK_CONNECTIONS_MS },
    // A client's own id would be a claim; ours is the request's id everywhere.
    requestIdHeader: false,
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: nestLogger(log),
    abortOnError: false,
    // JSON is what is understood; Nest's parsers would let forms in.
    bodyParser: false,
  });
  const server = adapter.getInstance();
  acceptJsonBodies(server);
  logCalls(server, log);
  guard(server);
  authenticateCalls(server, authenticator, access);
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ErrorFilter(log));
  return app;
}

/** Nest's own lines in our log: what it reports as information is detail to us. */
function nestLogger(log: Logger): LoggerService {
  const write =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown): void => {
      log[level]({ component: 'nest' }, String(message));
    };
  return { log: write('debug'), warn: write('warn'), error: write('error') };
}
