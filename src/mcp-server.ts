import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { createHttpApp } from './http-app.js';
import { McpController } from './mcp/mcp.controller.js';
import { guardMcp, type McpGuard } from './mcp/guard.js';
import { McpService } from './mcp/mcp.service.js';
import type { Authenticator } from './middleware/authenticate.js';
import type { AccessService } from './services/access.service.js';

/** Larger bodies are no calls of tools: files of that size go through the API. */
const BODY_LIMIT = 1_000_000;

@Module({})
class McpModule {
  static of(mcp: McpService): DynamicModule {
    return { module: McpModule, controllers: [McpController], providers: [{ provide: McpService, useValue: mcp }] };
  }
}

export interface McpServerParts extends McpGuard {
  mcp: McpService;
  authenticator: Authenticator;
  access: AccessService;
  log: Logger;
}

/** Builds the MCP server without listening. */
export async function createMcpServer(parts: McpServerParts): Promise<NestFastifyApplication> {
  const { mcp, authenticator, access, log } = parts;
  const app = await createHttpApp(McpModule.of(mcp), {
    ...{ log, access, authenticator, bodyLimit: BODY_LIMIT },
    guard: (server) => {
      guardMcp(server, parts);
    },
  });
  await app.init();
  return app;
}
