import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { createHttpApp } from './http-app.js';
import { McpController } from './mcp/mcp.controller.js';
import { guardMcp, type McpGuard } from './mcp/guard.js';
import { McpService } from './mcp/mcp.service.js';
import { McpOAuth } from './mcp/oauth.js';
import { WellKnownController } from './mcp/well-known.controller.js';
import { credentialOf, type Authenticator } from './middleware/authenticate.js';
import type { AccessService } from './services/access.service.js';

/** Larger bodies are no calls of tools: files of that size go through the API. */
const BODY_LIMIT = 1_000_000;

@Module({})
class McpModule {
  static of({ mcp, oauth }: Pick<McpServerParts, 'mcp' | 'oauth'>): DynamicModule {
    return {
      module: McpModule,
      controllers: [McpController, WellKnownController],
      providers: [
        { provide: McpService, useValue: mcp },
        { provide: McpOAuth, useValue: oauth },
      ],
    };
  }
}

export interface McpServerParts extends McpGuard {
  mcp: McpService;
  oauth: McpOAuth;
  authenticator: Authenticator;
  access: AccessService;
  log: Logger;
}

/** Builds the MCP server without listening. */
export async function createMcpServer(parts: McpServerParts): Promise<NestFastifyApplication> {
  const { oauth, authenticator, access, log } = parts;
  const app = await createHttpApp(McpModule.of(parts), {
    ...{ log, access, authenticator, bodyLimit: BODY_LIMIT },
    guard: (server) => {
      guardMcp(server, parts);
      // Whoever is not let in is told where to get a token.
      server.addHook('onSend', async ({ headers }, reply) => {
        const gave = credentialOf(headers) !== undefined;
        if (reply.statusCode === 401) void reply.header('www-authenticate', oauth.unauthenticated(gave));
      });
    },
  });
  await app.init();
  return app;
}
