import { isJSONRPCRequest, type JSONRPCMessage, type Transport } from '@modelcontextprotocol/server';
import { cancelledBy, revisionOf } from './messages.js';
import { LegacySide } from './legacy-side.js';
import { ModernSide } from './modern-side.js';
import type { Upstream } from './upstream.js';

export interface BridgeOptions {
  /** The way to the client. */
  transport: Transport;
  upstream: Upstream;
  version: string;
  /** Told of what no client is told. */
  warn: (sentence: string) => void;
}

/**
 * Passes messages between one client and the server over HTTP, until the client goes away. Of which revision a message is,
 * it says itself: a client may ask for the newer one and go on with the older.
 */
export async function bridge({ transport, upstream, version, warn }: BridgeOptions): Promise<void> {
  const say = async (message: JSONRPCMessage): Promise<void> => {
    // Who went away is told nothing.
    await transport.send(message).catch(() => undefined);
  };
  const modern = new ModernSide(upstream, say);
  const legacy = new LegacySide({ upstream, say, version, warn });
  const gone = new Promise<void>((resolve) => {
    transport.onclose = resolve;
  });
  transport.onerror = (error) => {
    warn(error.message);
  };
  transport.onmessage = (message: JSONRPCMessage) => {
    const cancelled = cancelledBy(message);
    if (cancelled && modern.cancel(cancelled.requestId, cancelled.reason)) return;
    const isModern = revisionOf(message) !== undefined;
    // Of notices of the newer revision only that one is for servers.
    if (isModern && isJSONRPCRequest(message)) void modern.take(message);
    else if (!isModern) void legacy.take(message);
  };
  await transport.start();
  await gone;
  modern.close();
  await legacy.close();
}
