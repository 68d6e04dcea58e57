// `npm run conformance [-- SUITE…]`: whether we speak the protocols of others as they really are, kept out of `npm test`
// for time.
import { runClient } from './llm-clients.mjs';

/** Name of a suite → function that runs it and gives whether it passed. */
const SUITES = {
  'ollama-client': () => runClient('ollama'),
  'openai-client': () => runClient('openai'),
};

const HELP = `npm run conformance [-- SUITE…]

Whether we speak the protocols of others as they really are, by their own clients. Without a name, all of them:
${Object.keys(SUITES).join(', ')}. Ends with 1 if one fails.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}. There are: ${Object.keys(SUITES).join(', ')}.`);
  process.exit(2);
}
for (const name of names) {
  console.log(`\n=== ${name} ===`);
  if (!(await SUITES[name]())) process.exitCode = 1;
}
