import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { addMissingSearchAttributes } from './search-attributes.js';

const POLL_MS = 25;

/**
 * Waits until the server at `address` answers for the namespace and knows our search attributes.
 * @throws the signal's reason when it is aborted before that
 */
export async function waitUntilServing(address: string, namespace: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if ((await acceptsConnections(address)) && (await isServing(address, namespace))) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** A bare TCP look first: it costs nothing while the server is still starting, a gRPC channel does. */
function acceptsConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1_000 });
    const answer = (accepts: boolean): void => {
      socket.destroy();
      resolve(accepts);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

async function isServing(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: 2_000 });
    await connection.workflowService.describeNamespace({ namespace });
    await addMissingSearchAttributes(connection.operatorService, namespace);
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}
