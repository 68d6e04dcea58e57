import type { ServerContext } from '@modelcontextprotocol/server';
import type { McpCaller } from '../caller.js';
import type { ProtocolServer } from '../protocol-server.js';
import { parseAddress } from './address.js';
import { RESOURCE_TEMPLATES } from './described.js';
import { listResources } from './listing.js';
import { Resources, type ResourcesParts } from './resources.js';
import type { FileReader } from './workspace.js';

/** A caller who reads within one call. */
export const readerOf = (caller: McpCaller, { mcpReq }: Pick<ServerContext, 'mcpReq'>): FileReader => ({
  ...{ key: caller.key, receivedAt: caller.receivedAt, fields: caller.fields, signal: mcpReq.signal },
  actingIn: (named) => caller.actingIn(named),
});

/** Serves what a caller may read: listed, described by patterns, read. */
export function serveResources(server: ProtocolServer, caller: McpCaller, parts: ResourcesParts): void {
  const resources = new Resources(parts);
  server.setRequestHandler('resources/list', ({ params }, context) =>
    listResources(readerOf(caller, context), parts, params?.cursor),
  );
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: RESOURCE_TEMPLATES }));
  server.setRequestHandler('resources/read', async ({ params: { uri } }, context) => ({
    contents: [await resources.read(readerOf(caller, context), uri, parseAddress(uri))],
  }));
}
