// MCP by the protocol's own suite, and by the clients of others.
import '../support/typescript.mjs';
const tell = (line) => console.log(line);

/** @param {'suite' | 'clients' | undefined} part */
export async function runMcp(part) {
  const { McpStage } = await import('./mcp-stage.mjs');
  const { runSuite } = await import('./mcp-suite.mjs');
  const { runClients } = await import('./mcp-clients.mjs');
  const { LETTERS, NOTES } = await import('../factories/letters-crew.ts');
  const stage = await McpStage.open();
  try {
    const outcomes = [];
    if (part !== 'clients') outcomes.push(await runSuite(stage.proxy.url, tell));
    if (part !== 'suite') {
      await stage.putCrew('letters', LETTERS);
      await stage.putCrew('notes', NOTES);
      outcomes.push(await runClients({ url: stage.mcpUrl, key: await stage.key('tg:1') }, tell));
    }
    return outcomes.every(Boolean);
  } finally {
    await stage.close();
  }
}
