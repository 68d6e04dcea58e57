import { Body, Controller, Headers, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TOOLS, type ToolName } from '../contracts/devtools.js';
import type { RouteSubmission } from '../contracts/request.js';
import { toolBody } from '../schemas/devtools.js';
import { Access } from '../middleware/access.js';
import { toolOperation } from './openapi/devtools-operations.js';
import { Operation } from './openapi/operation.js';
import { RoutedCalls } from './routed-calls.js';

/**
 * Doors to the tools, `POST /devtools/<tool>`: each takes what its tool takes beside `dao_id` and `user_id`, and gives
 * what its tool gives beside `request_id`. Behind them is the same submission as behind `/route`.
 */
@ApiTags('devtools')
@Controller('devtools')
export class DevtoolsController {
  constructor(private readonly calls: RoutedCalls) {}

  async run(
    body: RouteSubmission,
    prefer: string | undefined,
    idempotencyKey: string | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const call = { request, reply, body, route: 'devtools', prefer, idempotencyKey };
    const end = await this.calls.await(call, await this.calls.submit(call));
    const { request_id, status } = end;
    if (!end.ok) void reply.send(end);
    else void reply.send({ ok: true, request_id, ...(end.mode === 'devtools' && end.data ? end.data : { status }) });
  }
}

/** One route for each tool, all alike but for what they take: declared here, where eleven methods would say the same. */
for (const tool of TOOLS) addRoute(tool);

function addRoute(tool: ToolName): void {
  const { prototype } = DevtoolsController;
  // A function of its own: decorators hang what they say on it.
  const run = function (this: DevtoolsController, ...args: Parameters<DevtoolsController['run']>): Promise<void> {
    return this.run(...args);
  };
  const route = { value: run, configurable: true, enumerable: false, writable: true };
  Object.defineProperty(prototype, tool, route);
  const methods = [Post(tool), HttpCode(200), Access('agent.devtools'), Operation(toolOperation(tool))];
  for (const decorate of methods) decorate(prototype, tool, route);
  const parameters = [Body({ schema: toolBody(tool) }), Headers('prefer'), Headers('idempotency-key'), Req(), Res()];
  parameters.forEach((decorate, at) => {
    decorate(prototype, tool, at);
  });
}
