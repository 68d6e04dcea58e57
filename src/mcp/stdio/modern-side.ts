import type { JSONRPCNotification, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ClientGone } from './giving-up.js';
import type { Say } from './messages.js';
import { refusal } from './refusals.js';
import { Rising } from './rising.js';
import type { Upstream } from './upstream.js';

/** Clients of the revision that speaks over HTTP: their requests go there one by one, as they are. */
export class ModernSide {
  private readonly open = new Map<RequestId, AbortController>();

  constructor(
    private readonly upstream: Upstream,
    private readonly say: Say,
  ) {}

  /** Asks, and gives the answer to the client. Never rejects but where the client cannot be told. */
  async take(request: JSONRPCRequest): Promise<void> {
    const controller = new AbortController();
    this.open.set(request.id, controller);
    const { signal } = controller;
    const { say } = this;
    try {
      const answer = await this.upstream.call(request, { signal, ...hearing(say) });
      if (!signal.aborted) await say(answer);
    } catch (error) {
      // Who gave a call up waits for no answer.
      if (!signal.aborted) await say(refusal(request.id, error));
    } finally {
      if (this.open.get(request.id) === controller) this.open.delete(request.id);
    }
  }

  /** Gives a request up; false: there is none that is going on. */
  cancel(id: RequestId, reason: string | undefined): boolean {
    const controller = this.open.get(id);
    controller?.abort(reason ?? 'cancelled');
    return controller !== undefined;
  }

  close(): void {
    for (const controller of this.open.values()) controller.abort(new ClientGone());
  }
}

const Acknowledged = z.looseObject({
  method: z.literal('notifications/subscriptions/acknowledged'),
  params: z.looseObject({
    _meta: z.looseObject({}).optional(),
    notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()).optional() }),
  }),
});

/** What a client hears of a call that may have to be asked again meanwhile. */
function hearing(say: Say): { hear: (notice: JSONRPCNotification) => Promise<void> } {
  const rising = new Rising();
  let isListening = false;
  return {
    hear: async (notice) => {
      const acknowledged = Acknowledged.safeParse(notice).data;
      if (!acknowledged || !isListening) {
        isListening ||= acknowledged !== undefined;
        await say(rising.raise(notice));
        return;
      }
      // Listened to anew: what has changed meanwhile nobody knows, so all of it may have.
      const { _meta, notifications } = acknowledged.params;
      for (const uri of notifications.resourceSubscriptions ?? []) {
        const params = { uri, ...(_meta && { _meta }) };
        await say({ jsonrpc: '2.0', method: 'notifications/resources/updated', params });
      }
    },
  };
}
