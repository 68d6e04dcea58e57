import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Aims } from './lib/aims.mjs';
import { calibrate } from './lib/calibrate.mjs';
import { hundredAtOnce } from './lib/hundred.mjs';
import { LoadStage } from './lib/load-stage.mjs';
import { tenAtOnce } from './lib/ten.mjs';

const HELP = `npm run bench -- load [OPTIONS]

Load on a fake Ollama that behaves as an 8B model on one graphics card: answers slow each other down, some hang.

  ten       ten members at once: before (straight at the model: no cap, no retry, no max_tokens) and after (POST /route)
  hundred   a hundred members of five DAOs, of which one has eighty: first all greedy, then the four at human pace

Prints tables, then each aim with PASS or MISS; ends with 1 if one is missed.

  --minutes N         minutes of each column of "ten" (5)
  --flood-minutes N   minutes of each column of "hundred" (3)
  --part NAME         ten, hundred or all (all)
  --calibrate         only the ten members, in simulated time: what the model's parameters make of them
  --seed N            lengths of answers, hangs and pauses (3)
  --think-ms N        mean pause of the ten between an answer and the next question (2000)
  --light-think-ms N  the same of the members of the four light DAOs, when one floods (15000)
  --patience-ms N     the old client's one timeout; answers of the product that come later count as timeouts too (5500)
`;

const number = (fallback) => ({ type: 'string', default: String(fallback) });

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: number(5),
      'flood-minutes': number(3),
      part: { type: 'string', default: 'all' },
      seed: number(3),
      'think-ms': number(2_000),
      'light-think-ms': number(15_000),
      'patience-ms': number(5_500),
      calibrate: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (values.calibrate) return void calibrate(numbersOf(values));
  if (!['all', 'ten', 'hundred'].includes(values.part))
    throw new Error(`There is no part "${values.part}": see --help.`);
  const aims = new Aims();
  const stage = new LoadStage();
  try {
    await stage.open();
    await printModel(stage, Number(values.seed));
    await measure(stage, values, aims);
  } finally {
    await stage.close();
  }
  process.stdout.write(`\n${aims}\n`);
  if (aims.missed > 0) process.exitCode = 1;
}

const numbersOf = (values) => ({
  seed: Number(values.seed),
  thinkMs: Number(values['think-ms']),
  patienceMs: Number(values['patience-ms']),
  lightThinkMs: Number(values['light-think-ms']),
});

async function measure(stage, values, aims) {
  const options = { ...numbersOf(values), aims };
  if (values.part !== 'hundred') await tenAtOnce(stage, { ...options, minutes: Number(values.minutes) });
  if (values.part !== 'ten') await hundredAtOnce(stage, { ...options, minutes: Number(values['flood-minutes']) });
}

/** What the fake is, as it says itself. */
async function printModel(stage, seed) {
  const fake = await stage.fake({ seed });
  const response = await fetch(`${fake.url}/__control`, { method: 'POST', body: '{}' });
  const { settings } = await response.json();
  await fake.stop();
  const alone = settings.promptOverheadTokens / settings.promptTokensPerSecond + 200 / settings.tokensPerSecond;
  const pairs = Object.entries(settings).map(([name, value]) => `  ${name} ${value}`);
  process.stdout.write(
    `the model (test/fakes/gpu-model.ts), ${cpus().length} cores shared by all parties\n${pairs.join('\n')}\n` +
      `  200 tokens alone: ${alone.toFixed(2)} s; per answer at 3 at once ${perStream(settings, 3)}, at 10 ${perStream(settings, 10)} tokens/s\n`,
  );
}

const perStream = ({ tokensPerSecond, slowdown }, atOnce) =>
  (tokensPerSecond / (1 + slowdown * (atOnce - 1))).toFixed(0);
