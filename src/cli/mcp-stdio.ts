import { packageVersion } from '../../config/paths.js';
import type { On, Target } from '../mcp/stdio/headers.js';
import { CliError } from './failure.js';
import { bridgeEnv, findMcp } from './mcp-instance.js';
import { plain } from './plain-text.js';

export interface StdioOptions extends On {
  home?: string | undefined;
  url?: string | undefined;
}

/**
 * `dagi mcp --stdio`: a client's standard streams, bridged to a running instance until the client ends them. Standard
 * output carries messages alone.
 * @throws CliError where there is no instance
 */
export async function serveStdio({ home, url, dao, user }: StdioOptions): Promise<void> {
  const env = bridgeEnv({ home, url });
  const { url: found } = await findMcp(env);
  const [{ StdioServerTransport }, { bridge }, { Upstream }, { NoAnswer }] = await Promise.all([
    import('@modelcontextprotocol/server/stdio'),
    import('../mcp/stdio/bridge.js'),
    import('../mcp/stdio/upstream.js'),
    import('../mcp/stdio/refusals.js'),
  ]);
  const warn = (sentence: string): void => {
    process.stderr.write(`${plain(sentence.replace(/\s*\n\s*/g, ' '))}\n`);
  };
  // An instance that comes back may be elsewhere.
  const target = async (): Promise<Target> => {
    try {
      return await findMcp(env);
    } catch (error) {
      throw error instanceof CliError ? new NoAnswer(error.code, error.message, false) : error;
    }
  };
  warn(`bridge to ${found}`);
  const upstream = new Upstream({ target, on: { dao, user }, warn });
  await bridge({ transport: new StdioServerTransport(), upstream, version: packageVersion(), warn });
}
