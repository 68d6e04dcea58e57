import { All, Controller, Req, Res } from '@nestjs/common';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../middleware/access.js';
import { McpCaller } from './caller.js';
import { McpService } from './mcp.service.js';

/** `/mcp`: each POST is answered by a server of its own, made for whoever calls. */
@Controller()
export class McpController {
  constructor(private readonly mcp: McpService) {}

  @All('mcp')
  @Access('key')
  async call(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = new McpCaller(request, reply);
    this.mcp.requireScope(caller, request.body);
    const handler = createMcpHandler((context) => this.mcp.serverFor(caller, context), {
      onerror: (error) => this.mcp.warn(caller, error),
    });
    const head = Object.entries(reply.getHeaders());
    reply.hijack();
    for (const [name, value] of head) if (value !== undefined) reply.raw.setHeader(name, value);
    // Proxies are to pass on what comes piece by piece.
    reply.raw.setHeader('x-accel-buffering', 'no');
    const answer = toNodeHandler(handler);
    await answer(request.raw as Parameters<typeof answer>[0], reply.raw, request.body);
  }
}
