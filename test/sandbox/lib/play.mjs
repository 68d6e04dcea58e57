import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ATTEMPTS } from './attempts.mjs';
import { SECRET, closeStage, harm, openStage, targets, whileSwapping } from './stage.mjs';

const MIB = 1024 * 1024;
const LIMITS = {
  outputBytes: 64 * 1024,
  timeoutMs: 20_000,
  memoryBytes: 192 * MIB,
  processes: 64,
  scratchBytes: 40 * MIB,
};

/**
 * Plays attempts in a bubblewrap sandbox of this process's user.
 * @param build folder of the compiled product
 * @param bubblewrap path of its program; two folders above it is what it needs
 * @returns a row for each: name, how it was refused, what went wrong (nothing should), milliseconds
 */
export async function play({ build, bubblewrap, names }) {
  const from = (file) => import(pathToFileURL(join(build, 'src/adapters/sandbox', file)).href);
  const { BubblewrapSandbox } = await from('bubblewrap-sandbox.js');
  const { chooseBounds } = await from('choose-bounds.js');
  const bounds = await chooseBounds('bubblewrap');
  const program = { path: bubblewrap, version: 'of the cache', origin: 'cache' };
  const open = ({ tools }) => new BubblewrapSandbox(program, bounds, process.arch, tools.hidden);
  const rows = [];
  for (const attempt of ATTEMPTS.filter(({ name }) => !names || names.includes(name))) {
    rows.push(await playOne(open, bubblewrap, attempt));
  }
  return { bounds: bounds.kind, uid: process.getuid(), rows };
}

async function playOne(open, bubblewrap, attempt) {
  const stage = await openStage();
  const startedAt = performance.now();
  try {
    const run = () => runAttempt(open(stage), bubblewrap, attempt, stage);
    const end = await (attempt.swap ? whileSwapping(stage, run) : run());
    const problems = [...judge(attempt, end), ...(await harm(stage))];
    return {
      name: attempt.name,
      refusal: refusalOf(attempt, end),
      problems,
      ms: Math.round(performance.now() - startedAt),
    };
  } finally {
    await closeStage(stage);
  }
}

async function runAttempt(sandbox, bubblewrap, attempt, stage) {
  const command = {
    argv: attempt.argv ?? ['/bin/sh', '-c', attempt.sh],
    workspace: stage.workspace,
    folder: attempt.folder ?? '.',
    env: { ...targets(stage), MARKER: stage.marker },
    mounts: [{ source: join(bubblewrap, '../../..'), target: '/opt/bubblewrap' }, ...stage.tools.mounts],
    ...(attempt.readOnly ? { readOnly: true } : {}),
    ...(attempt.report ? { report: '/tmp/report.txt' } : {}),
    limits: { ...LIMITS, ...(attempt.timeoutMs ? { timeoutMs: attempt.timeoutMs } : {}) },
  };
  return sandbox
    .run(command, new AbortController().signal)
    .catch((error) => ({ endedBy: 'refused', output: error.message }));
}

function judge({ refused, ends = ['exit', 'refused'] }, { endedBy, output, report: handedOver }) {
  const problems = [];
  if (output.includes('ESCAPED')) problems.push(`got what it wanted: ${output.slice(-300)}`);
  if (output.includes(SECRET) || handedOver?.includes(SECRET)) problems.push('saw the secret');
  if (!ends.includes(endedBy)) problems.push(`ended by ${endedBy}, not by ${ends.join(' or ')}: ${output.slice(-300)}`);
  const wasStopped = endedBy !== 'exit' && endedBy !== 'refused';
  if (refused && !wasStopped && !refused.test(output))
    problems.push(`was not refused as expected: ${output.slice(-300)}`);
  return problems;
}

function refusalOf({ refused }, { endedBy, output }) {
  if (endedBy !== 'exit' && endedBy !== 'refused') return `stopped: ${endedBy}`;
  const line = output.split('\n').find((each) => refused?.test(each)) ?? refused?.exec(output)?.[0] ?? '';
  return line
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 70);
}
