#!/usr/bin/env node
// Benches, by name. Each prints a table; one that has aims ends with 1 if they are missed.
const BENCHES = {
  access: () => import('./access.mjs'),
  crews: () => import('./crews.mjs'),
  dialogs: () => import('./dialogs.mjs'),
  devtools: () => import('./devtools.mjs'),
  openai: () => import('./openai.mjs'),
  route: () => import('./route.mjs'),
  load: () => import('./load.mjs'),
  whatif: () => import('./whatif.mjs'),
};

const HELP = `npm run bench -- NAME [OPTIONS]

  access   who may do what, with 1,000 DAOs and 100,000 members; what row-level security costs; with aims
  crews    what a step of a crew takes beside the model's own time, beside CrewAI; with aims
  dialogs  updates of Telegram: until the webhook is answered, until a member sees words, and what idle dialogs
           cost; with aims
  devtools tools on a workspace of 100,000 files; with aims
  openai   what POST /v1/chat/completions adds to a model's endpoint, beside LiteLLM's proxy and Portkey's; with aims
  route    a chat through POST /route, beside the model alone and beside bare Temporal
  load     ten and a hundred members at once on a slow model; with aims, and an exit code
  whatif   ten thousand recorded requests decided again

Each bench tells its options with --help.
`;

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || name === '--help') {
  process.stdout.write(HELP);
} else if (name in BENCHES) {
  const bench = await BENCHES[name]();
  await bench.main(rest);
  // Native connections and pools of the parties that were measured must not keep the process.
  process.exit(process.exitCode ?? 0);
} else {
  process.stderr.write(`There is no bench "${name}". Choose of: ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exitCode = 1;
}
