// Runs one program in the sandbox: argument 1 is the kind, 2 the workspace, 3 a script for sh. Prints how it ended.
import { fromBuild, supply } from '../../support/parts.mjs';

const { openSandbox } = await fromBuild('src/adapters/sandbox/open-sandbox.js');
const [kind, workspace, script] = process.argv.slice(2);
const sandbox = await openSandbox({ kind, ...(await supply()), hidden: [], production: false });
const limits = { outputBytes: 65_536, timeoutMs: 60_000, memoryBytes: 1 << 28, processes: 32, scratchBytes: 1 << 25 };
const command = { argv: ['/bin/sh', '-c', script], workspace, folder: '.', limits };
const end = await sandbox.run(command, new AbortController().signal, ({ text }) => process.stderr.write(text));
process.stdout.write(JSON.stringify(end));
