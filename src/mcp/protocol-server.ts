import { Server } from '@modelcontextprotocol/server';

/**
 * The SDK's server as it is below its high-level one, which can neither page resources nor answer with tasks. The SDK
 * advises it for such cases alone, by a mark of deprecation.
 */
// eslint-disable-next-line @typescript-eslint/no-deprecated
export class ProtocolServer extends Server {}
