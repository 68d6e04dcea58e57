import type { FastifyRequest } from 'fastify';
import { ProtocolError, ProtocolErrorCode, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Authenticator } from '../../middleware/authenticate.js';
import type { DrainService } from '../../services/drain.service.js';
import type { McpCaller } from '../caller.js';
import { parseAddress, uriOf } from './address.js';
import { isNothing, nothingAt, protocolError, type Reader } from './reading.js';
import { Resources, type KnownAddress, type ResourcesParts } from './resources.js';
import { Watch, type WatchParts } from './watch.js';

/** Most addresses of one subscription, and most subscriptions that one person with one key has open in one process. */
const MOST_ADDRESSES = 20;
const MOST_OPEN = 10;

/** A call that subscribes to something. Anything else, and what is no such call in full, is left to the protocol. */
const ListenSchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  method: z.literal('subscriptions/listen'),
  params: z.looseObject({
    _meta: z.looseObject({ [PROTOCOL_VERSION_META_KEY]: z.string() }),
    notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()).min(1) }),
  }),
});

/** A call as far as a subscription has to do with it. */
export interface Listening extends Pick<WatchParts, 'isBehind' | 'end'> {
  caller: McpCaller;
  body: unknown;
  headers: FastifyRequest['headers'];
  /** What the caller came with, which is asked about again and again. */
  credential: string | undefined;
}

/** A subscription that is open. */
export interface Subscription {
  watch: Watch;
  /** Gives its place free. */
  close: () => void;
}

/** The answer to a call whose subscription is refused. */
export interface RefusedSubscription {
  refusal: { jsonrpc: '2.0'; id: string | number; error: { code: number; message: string; data?: unknown } };
}

/** Subscriptions of this process: refused where they are too many, or name what may not be read. */
export class Subscriptions {
  /** How many are open, by the key and whom it acts for. */
  private readonly open = new Map<string, number>();
  private readonly resources: Resources;

  constructor(
    parts: ResourcesParts,
    private readonly drain: DrainService,
    private readonly authenticator: Authenticator,
  ) {
    this.resources = new Resources(parts);
  }

  /** Opens the subscription that a call asks for, or says why not; undefined: it asks for none. */
  async begin(
    listening: Listening,
    failed: WatchParts['failed'],
  ): Promise<Subscription | RefusedSubscription | undefined> {
    const parsed = ListenSchema.safeParse(listening.body);
    if (!parsed.success) return undefined;
    const { id, params } = parsed.data;
    try {
      const addresses = addressesOf(params.notifications.resourceSubscriptions);
      return await this.openFor(listening, { addresses, failed });
    } catch (error) {
      const { code, message, data } = protocolError(error);
      return { refusal: { jsonrpc: '2.0', id, error: { code, message, data } } };
    }
  }

  /** @throws ProtocolError with the address that may not be read, or where there are too many; AppError */
  private async openFor(
    { caller, credential, body, headers, isBehind, end }: Listening,
    watched: { addresses: Map<string, KnownAddress>; failed: WatchParts['failed'] },
  ): Promise<Subscription> {
    this.drain.refuseWhenStopping();
    const close = this.take(`${caller.key.id} ${caller.named.userId ?? ''}`);
    const actingIn: Reader['actingIn'] = (named) => caller.actingIn(named);
    const watch = new Watch({
      ...{ ...watched, isBehind, end },
      orStopping: (signal) => this.drain.orStopping(signal),
      reader: async () => {
        const key =
          credential === undefined ? undefined : await this.authenticator.authenticate(credential, { headers, body });
        return key && { key, actingIn };
      },
      read: (reader, address) => this.resources.known(reader, address),
    });
    try {
      await watch.begin({ key: caller.key, actingIn }, (uri, error) =>
        isNothing(error) ? nothingAt(uri) : protocolError(error),
      );
    } catch (error) {
      close();
      throw error;
    }
    return { watch, close };
  }

  /** @returns what gives the place free, once */
  private take(holder: string): () => void {
    const now = this.open.get(holder) ?? 0;
    if (now >= MOST_OPEN) {
      throw refused(
        `There are ${now} subscriptions open for you, as many as one may have: close one, or name more in one.`,
      );
    }
    this.open.set(holder, now + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.open.get(holder) ?? 1) - 1;
      if (left > 0) this.open.set(holder, left);
      else this.open.delete(holder);
    };
  }
}

/** What is to be watched, by its address as the client writes it; what it writes in several ways is watched once. */
function addressesOf(uris: readonly string[]): Map<string, KnownAddress> {
  if (uris.length > MOST_ADDRESSES) throw refused(`A subscription names at most ${MOST_ADDRESSES} addresses.`);
  const watched = new Map<string, [uri: string, KnownAddress]>();
  for (const uri of uris) {
    const address = watchable(uri);
    const spelling = uriOf(address);
    if (!watched.has(spelling)) watched.set(spelling, [uri, address]);
  }
  return new Map(watched.values());
}

function watchable(uri: string): KnownAddress {
  const address = parseAddress(uri);
  if (!address) throw nothingAt(uri);
  if (address.kind !== 'file') return address;
  // Each look at a file is a request, on the record.
  throw refused('Files of a workspace are not watched: read them when you need them.', { uri });
}

const refused = (message: string, data?: object): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, message, data);
