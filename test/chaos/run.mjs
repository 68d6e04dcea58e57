#!/usr/bin/env node
// Chaos runs, by name: real processes, killed with `kill -9`, and a ledger at the end.
const RUNS = {
  route: () => import('./route.mjs'),
  embedded: () => import('./embedded.mjs'),
  workers: () => import('./workers.mjs'),
  votes: () => import('./votes.mjs'),
  tools: () => import('./tools.mjs'),
  crews: () => import('./crews.mjs'),
  dialogs: () => import('./dialogs.mjs'),
};

const HELP = `npm run chaos -- NAME [OPTIONS]

  route      60 requests on PostgreSQL and separate processes, while API, worker, Temporal and database are killed;
             then the embedded set-up of one process, killed 20 times
  embedded   the second half of it alone
  workers    24 members at work on two workers and one slow model, while one worker or the other is killed every few
             seconds: the model never has more than three generations at once, and whatever was accepted has its end
  votes      40 members vote on a proposal, again and again, while worker, Temporal, API and database are killed: what
             they were told is what is counted, and it is closed and executed once
  tools      200 requests for tools while their worker, or all of the product at once, is killed: each ends once, no
             write is applied twice, no file is half written, and nothing of a sandbox is left behind
  crews      a run of a crew for each step and gate of five crews, killed there: worker, API, all of the product, or
             Temporal. What a model said is bought no more once it is recorded, and each approval is applied once
  dialogs    40 members write 25 messages each in Telegram while API, worker, Temporal and database are killed, and the
             platform delivers twice, says 429, and does what it was asked without saying so: each message has one
             answer, in the order of its chat. They ask, use commands, and get answers that take two messages; each message
             of an answer is counted, and so is what came twice in the one window that is named

Options: --seed N            repeat a run: the same requests and the same kills
         --requests N        how many requests (route: 60, tools: 200; dialogs: messages in all, 1,000)
         --rate N            dialogs: how many messages a second, to all chats together (12); who has 25 without an answer waits
         --minutes N         dialogs: how long they write at most (until all is written)
         --kills N           how many kills (route: 16, embedded: 20, workers: 20, votes: 12, tools: 16, dialogs: 16, crews: all
                             steps)
         --embedded-kills N  how many kills in the second half of route (20)
         --members N         how many members (workers: 24, votes: 40, dialogs: 40)
         --rounds N          crews: how often all steps are gone through (1)
         --plant NAME        crews: a promise that is broken on purpose (bought, approved, written), and must be found
`;

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || name === '--help') {
  process.stdout.write(HELP);
} else if (name in RUNS) {
  const { main } = await RUNS[name]();
  process.exit((await main(rest)) ? 0 : 1);
} else {
  process.stderr.write(`There is no chaos run "${name}". Choose of: ${Object.keys(RUNS).join(', ')}.\n`);
  process.exit(1);
}
