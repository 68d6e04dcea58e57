import { Server, type ClientCapabilities, type Implementation } from '@modelcontextprotocol/server';

/**
 * The SDK's server as it is below its high-level one, which can neither page resources nor answer with tasks. The SDK
 * advises it for such cases alone, by a mark of deprecation.
 */
// eslint-disable-next-line @typescript-eslint/no-deprecated
export class ProtocolServer extends Server {
  /** What a client of before, which has one connection, said of itself when it began; the SDK asks newer ones by call. */
  get client(): { info: Implementation | undefined; capabilities: ClientCapabilities } {
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return { info: this.getClientVersion(), capabilities: this.getClientCapabilities() ?? {} };
  }
}
