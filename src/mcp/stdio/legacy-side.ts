import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server';
import type { ProtocolServer } from '../protocol-server.js';
import { openLegacyServer, type LegacyCalls, type LegacyOptions } from './legacy-server.js';
import type { Say } from './messages.js';
import { refusal } from './refusals.js';

interface SideOptions extends LegacyOptions {
  say: Say;
}

/** A client of before: it has one connection, and speaks with a server that is here, which asks the one over HTTP. */
export class LegacySide {
  private server: { server: ProtocolServer; channel: Channel; calls: LegacyCalls } | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: SideOptions) {}

  /** Takes a message; one after the other, as they came. */
  take(message: JSONRPCMessage): Promise<void> {
    this.last = this.last.then(() => this.deliver(message));
    return this.last;
  }

  async close(): Promise<void> {
    await this.server?.server.close();
  }

  private async deliver(message: JSONRPCMessage): Promise<void> {
    // What answers nothing, or gives up nothing, needs no server.
    if (!this.server && !isJSONRPCRequest(message)) return;
    try {
      this.server ??= await this.open();
      this.server.channel.onmessage?.(message);
    } catch (error) {
      if (isJSONRPCRequest(message)) await this.options.say(refusal(message.id, error));
    }
  }

  private async open(): Promise<NonNullable<LegacySide['server']>> {
    const { server, calls } = await openLegacyServer(this.options);
    const channel = new Channel(this.options.say, (id) => {
      calls.answered(id);
    });
    await server.connect(channel);
    return { server, channel, calls };
  }
}

/** The way from the server here to the client. */
class Channel implements Transport {
  onmessage?: NonNullable<Transport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;

  constructor(
    private readonly say: Say,
    private readonly onAnswer: (id: RequestId) => void,
  ) {}

  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    const isAnswer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    if (isAnswer && message.id !== undefined) this.onAnswer(message.id);
    return this.say(message);
  }

  close(): Promise<void> {
    this.onclose?.();
    return Promise.resolve();
  }
}
