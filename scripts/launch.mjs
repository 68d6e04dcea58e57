#!/usr/bin/env node
// Entry of `npm run …`: brings the checkout into a state in which the product can run, then runs it.
//   launch.mjs [--no-build] dagi ARGS…    the `dagi` command
//   launch.mjs [--no-build] node FILE …   a script of the repository
//   launch.mjs prepare                    npm's own hook after an install
// This file alone must parse on an old Node, so that it can say what is wrong.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `DAGI Stack needs Node 20.19 or newer and this is ${process.versions.node}: install a newer Node and try again.`,
  );
  process.exit(1);
}
import('./launch/main.mjs').then(({ main }) => main(process.argv.slice(2)));
