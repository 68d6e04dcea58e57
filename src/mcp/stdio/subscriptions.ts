import { ProtocolError, ProtocolErrorCode, type JSONRPCNotification } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ProtocolServer } from '../protocol-server.js';
import { ClientGone } from './giving-up.js';
import { resultOf } from './ask-upstream.js';
import { envelope, requestOf } from './messages.js';
import type { Upstream } from './upstream.js';

const Acknowledged = z.looseObject({
  method: z.literal('notifications/subscriptions/acknowledged'),
  params: z.looseObject({
    notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()).optional() }),
  }),
});
const UPDATED = 'notifications/resources/updated';

/** Subscriptions of one older client: each is a stream to the server that stays open. */
export class Subscriptions {
  private readonly open = new Map<string, AbortController>();

  constructor(
    private readonly upstream: Upstream,
    private readonly server: ProtocolServer,
    private readonly warn: (sentence: string) => void,
  ) {}

  serve(): void {
    this.server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
      if (!this.open.has(uri)) await this.listen(uri);
      return {};
    });
    this.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
      this.stop(uri);
      return {};
    });
    this.server.onclose = () => {
      for (const uri of [...this.open.keys()]) this.stop(uri);
    };
  }

  private stop(uri: string): void {
    this.open.get(uri)?.abort(new ClientGone());
    this.open.delete(uri);
  }

  /** Resolves once the server watches. @throws ProtocolError where it does not */
  private listen(uri: string): Promise<void> {
    const controller = new AbortController();
    this.open.set(uri, controller);
    const { signal } = controller;
    return new Promise((resolve, reject) => {
      let isFirst = true;
      const hear = async (notice: JSONRPCNotification): Promise<void> => {
        const acknowledged = Acknowledged.safeParse(notice).data;
        if (acknowledged?.params.notifications.resourceSubscriptions?.includes(uri)) {
          resolve();
          // Watched anew after a break, in which it may have changed.
          if (!isFirst) await this.updated(uri);
          isFirst = false;
        } else if (Updated.safeParse(notice).success) await this.updated(uri);
      };
      const params = { notifications: { resourceSubscriptions: [uri] }, _meta: envelope(undefined, {}) };
      resultOf(this.upstream, requestOf(`watch ${uri}`, 'subscriptions/listen', params), { signal, hear })
        .then(() => {
          this.ended(uri, signal, 'the server watches no more');
          // In vain, where it has been acknowledged.
          reject(new ProtocolError(ProtocolErrorCode.InvalidParams, `${uri} cannot be watched.`));
        })
        .catch((error: unknown) => {
          this.ended(uri, signal, String(error));
          reject(error instanceof Error ? error : new Error(String(error)));
        });
    });
  }

  private ended(uri: string, signal: AbortSignal, why: string): void {
    if (signal.aborted) return;
    this.open.delete(uri);
    this.warn(`${uri} is not watched any more: ${why}`);
  }

  private async updated(uri: string): Promise<void> {
    await this.server.notification({ method: UPDATED, params: { uri } });
  }
}

const Updated = z.looseObject({ method: z.literal(UPDATED) });
