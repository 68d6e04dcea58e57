import { All, Controller, Req, Res } from '@nestjs/common';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../middleware/access.js';
import { credentialOf } from '../middleware/authenticate.js';
import { McpCaller } from './caller.js';
import { McpService } from './mcp.service.js';
import type { Listening } from './resources/subscriptions.js';

/** How long the last words of a subscription may take to be read, in milliseconds. */
const LAST_WORDS_MS = 2_000;

/** `/mcp`: each POST is answered by a server of its own, made for whoever calls. */
@Controller()
export class McpController {
  constructor(private readonly mcp: McpService) {}

  @All('mcp')
  @Access('key')
  async call(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = new McpCaller(request, reply);
    await this.mcp.requireScope(caller, request.body);
    const stream = new Stream(reply);
    const { body, headers } = request;
    const credential = credentialOf(headers);
    const subscription = await this.mcp.subscribe({
      caller,
      ...{ body, headers },
      credential,
      isBehind: stream.isBehind,
      end: stream.end,
    });
    if (subscription && 'refusal' in subscription) {
      void reply.send(subscription.refusal);
      return;
    }
    const handler = createMcpHandler((context) => this.mcp.serverFor(caller, context), {
      onerror: (error) => this.mcp.warn(caller, error),
      ...(subscription && { bus: subscription.watch }),
    });
    stream.endsWith(() => handler.close());
    const head = Object.entries(reply.getHeaders());
    reply.hijack();
    for (const [name, value] of head) if (value !== undefined) reply.raw.setHeader(name, value);
    // Proxies are to pass on what comes piece by piece.
    reply.raw.setHeader('x-accel-buffering', 'no');
    const answer = toNodeHandler(handler);
    try {
      await answer(request.raw as Parameters<typeof answer>[0], reply.raw, request.body);
    } finally {
      subscription?.close();
    }
  }
}

/** The stream to a subscriber: whether it is taken, and how it ends. */
class Stream implements Pick<Listening, 'isBehind' | 'end'> {
  private say: () => Promise<void> = () => Promise.resolve();
  readonly isBehind: () => boolean;
  readonly end: (how: 'over' | 'lost') => void;

  constructor({ raw }: FastifyReply) {
    this.isBehind = () => raw.writableNeedDrain;
    this.end = (how) => {
      if (how === 'over') void this.say();
      setTimeout(() => raw.destroy(), how === 'over' ? LAST_WORDS_MS : 0).unref();
    };
  }

  /** With what it is said that it is over. */
  endsWith(say: () => Promise<void>): void {
    this.say = say;
  }
}
