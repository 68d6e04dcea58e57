import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthService } from '../services/health.service.js';
import { Access } from '../middleware/access.js';

/** Signs of life. */
@ApiTags('operations')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('health')
  @Access('public')
  @ApiOperation({ operationId: 'health', summary: 'Whether the process is alive; nothing else is asked' })
  alive(): { ok: true } {
    return { ok: true };
  }

  @Get('ready')
  @Access('public')
  @ApiOperation({ operationId: 'ready', summary: '200 once a chat can be answered, else 503 with the reasons' })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { ready, ...rest } = await this.health.readiness();
    if (!ready) void reply.header('retry-after', '2');
    void reply.status(ready ? 200 : 503).send({ ok: ready, ...rest });
  }
}
