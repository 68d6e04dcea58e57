// `npm run conformance [-- SUITE…]`: whether we speak the protocols of others as they really are, kept out of `npm test`
// for time.
import { runClient } from './llm-clients.mjs';
import { runMcp } from './mcp.mjs';

/** Name of a suite → function that runs it and gives whether it passed. */
const SUITES = {
  'ollama-client': () => runClient('ollama'),
  'openai-client': () => runClient('openai'),
  mcp: () => runMcp(),
};
/** Parts of them, by name alone. */
const PARTS = {
  'mcp-suite': () => runMcp('suite'),
  'mcp-clients': () => runMcp('clients'),
};
const ALL = { ...SUITES, ...PARTS };

const HELP = `npm run conformance [-- SUITE…]

Whether we speak the protocols of others as they really are, by their own clients. Without a name, all of them:
${Object.keys(SUITES).join(', ')}. Parts: ${Object.keys(PARTS).join(', ')}. Ends with 1 if one fails.
mcp fetches the protocol's conformance suite, its Inspector and its Python client, once.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = names.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}. There are: ${Object.keys(ALL).join(', ')}.`);
  process.exit(2);
}
for (const name of names) {
  console.log(`\n=== ${name} ===`);
  if (!(await ALL[name]())) process.exitCode = 1;
}
