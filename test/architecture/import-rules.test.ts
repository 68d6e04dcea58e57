import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = '.dependency-cruiser.cjs';
const RUNTIME = '.dependency-cruiser.runtime.cjs';
const PACKAGES = [
  'zod',
  'jest',
  ...['activity', 'client', 'common', 'testing', 'worker', 'workflow'].map((name) => `@temporalio/${name}`),
];

/** A rule, and the file with the import that breaks it. */
type Plant = [rule: string, file: string, code: string];

const PLANTS: Plant[] = [
  ['no-circular', 'src/services/circle-a.ts', `import './circle-b.js';`],
  ['not-resolvable', 'src/services/lost.ts', `import './nowhere.js';`],
  ['no-dev-dependency', 'src/services/dev.ts', `import 'jest';`],
  ['nobody-imports-test', 'src/services/tested.ts', `import '../../test/fakes/fake.js';`],
  ['nobody-imports-a-root', 'src/services/rooted.ts', `import '../main.js';`],
  ['contracts-are-a-leaf', 'src/contracts/leaf.ts', `import 'zod';`],
  ['errors-know-only-contracts', 'src/errors/deep.ts', `import '../domain/pure.js';`],
  ['schemas-know-only-contracts', 'src/schemas/deep.ts', `import '../errors/app-error.js';`],
  ['schemas-use-only-zod', 'src/schemas/outside.ts', `import 'node:fs';`],
  ['domain-is-pure', 'src/domain/impure.ts', `import 'node:fs';`],
  [
    'workflows-import-only-types-from-activities',
    'workflows/value.ts',
    `import { act } from '../activities/act.js'; act;`,
  ],
  [
    'workflows-see-only-pure-code',
    'workflows/deep.ts',
    `import type { S } from '../src/services/serve.js'; export type T = S;`,
  ],
  [
    'workflows-import-only-types-from-errors',
    'workflows/errors.ts',
    `import { E } from '../src/errors/app-error.js'; E;`,
  ],
  ['workflows-npm-allowlist', 'workflows/builtin.ts', `import 'node:crypto';`],
  [
    'activities-import-only-types-from-adapters',
    'activities/value.ts',
    `import { adapt } from '../src/adapters/adapt.js'; adapt;`,
  ],
  [
    'activities-see-nothing-but-adapters',
    'activities/up.ts',
    `import type { S } from '../src/services/serve.js'; export type T = S;`,
  ],
  ['activities-temporal-allowlist', 'activities/temporal.ts', `import '@temporalio/client';`],
  ['adapters-never-inward', 'src/adapters/inward.ts', `import '../services/serve.js';`],
  ['workflows-by-type-or-message-only', 'src/adapters/temporal/flow.ts', `import '../../../workflows/flow.js';`],
  [
    'workflows-through-one-door',
    'src/http/flow.ts',
    `import type { F } from '../../workflows/flow.js'; export type T = F;`,
  ],
  ['activities-through-one-door', 'src/http/act.ts', `import '../../activities/act.js';`],
  ['services-never-edges-or-temporal', 'src/services/edge.ts', `import '../http/route.js';`],
  ['edges-go-through-services', 'src/http/adapter.ts', `import '../adapters/adapt.js';`],
  ['edges-know-only-themselves', 'src/http/bot.ts', `import '../bots/bot.js';`],
  ['temporal-client-one-door', 'src/services/client.ts', `import '@temporalio/client';`],
  ['temporal-worker-one-door', 'src/cli/worker.ts', `import '@temporalio/worker';`],
  ['temporal-testing-in-tests', 'src/adapters/temporal/testing.ts', `import '@temporalio/testing';`],
  ['config-only-at-composition-roots', 'src/http/config.ts', `import '../../config/env.js';`],
  [
    'config-is-unknown-below',
    'src/services/config.ts',
    `import type { Env } from '../../config/env.js'; export type T = Env;`,
  ],
  ['config-near-leaf', 'config/deep.ts', `import '../src/domain/pure.js';`],
];

const REACHED: Plant[] = [
  ['workflows-reach-only-pure-code', 'workflows/far.ts', `import '../src/domain/leak.js';`],
  ['edges-reach-no-activity', 'src/http/far.ts', `import '../services/leak.js';`],
];

/** Files that the plants lean on. Together with `ALLOWED` they break no rule. */
const GROUND: Record<string, string> = {
  'src/main.ts': `import '../activities/act.js'; import '../config/env.js'; import './http/route.js';`,
  'src/worker.ts': `import '@temporalio/worker'; import '../activities/act.js'; import './adapters/temporal/door.js';`,
  'src/contracts/ids.ts': `export const id = 1;`,
  'src/errors/app-error.ts': `import '../contracts/ids.js'; export const E = 1;`,
  'src/schemas/body.ts': `import 'zod'; import '../contracts/ids.js';`,
  'src/domain/pure.ts': `import '../contracts/ids.js'; import '../errors/app-error.js';`,
  'src/adapters/adapt.ts': `import '../../config/env.js'; import '../schemas/body.js'; import 'node:fs'; export const adapt = 1;`,
  'src/adapters/temporal/door.ts': `import '@temporalio/client'; import type { F } from '../../../workflows/flow.js'; import '../../../workflows/messages.js'; export type T = F;`,
  'src/services/serve.ts': `import '../adapters/adapt.js'; import '../domain/pure.js'; import '../schemas/body.js'; export type S = 1;`,
  'src/services/serve.spec.ts': `import './serve.js'; import 'jest'; import '../../test/fakes/fake.js';`,
  'src/http/route.ts': `import '../services/serve.js'; import '../middleware/guard.js'; import type { Env } from '../../config/env.js'; export type T = Env;`,
  'src/middleware/guard.ts': `import '../services/serve.js'; import '../errors/app-error.js';`,
  'src/bots/bot.ts': `import '../services/serve.js'; import '../middleware/guard.js';`,
  'activities/act.ts': `import '@temporalio/activity'; import type { adapt } from '../src/adapters/adapt.js'; import '../src/domain/pure.js'; export const act = 1; export type A = typeof adapt;`,
  'workflows/flow.ts': `import '@temporalio/workflow'; import type { A } from '../activities/act.js'; import type { E } from '../src/errors/app-error.js'; import '../src/domain/pure.js'; import './messages.js'; export type F = A | typeof E;`,
  'workflows/messages.ts': `import '../src/contracts/ids.js';`,
  'config/env.ts': `import '../src/errors/app-error.js'; import '../src/schemas/body.js'; import 'node:path'; export type Env = 1;`,
  'test/fakes/fake.ts': `import '../../src/worker.js'; import '@temporalio/testing'; import '../../activities/act.js';`,
};

/** Second steps of plants, which break rules of their own. */
const STEPS: Record<string, string> = {
  'src/services/circle-b.ts': `import './circle-a.js';`,
  'src/domain/leak.ts': `import '../../config/env.js';`,
  'src/services/leak.ts': `import '../../activities/act.js';`,
};

interface Violation {
  from: string;
  rule: { name: string };
}

async function plant(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dagi-rules-'));
  const dependencies = Object.fromEntries(
    PACKAGES.filter((name) => !/jest|testing/.test(name)).map((name) => [name, '1.0.0']),
  );
  const manifest = { type: 'module', dependencies, devDependencies: { jest: '1.0.0', '@temporalio/testing': '1.0.0' } };
  const all: Record<string, string> = { ...files, 'package.json': JSON.stringify(manifest) };
  for (const name of PACKAGES) {
    all[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: '1.0.0', main: 'index.js' });
    all[`node_modules/${name}/index.js`] = '';
  }
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await cp(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  return folder;
}

async function cruise(folder: string, config: string): Promise<Violation[]> {
  const tool = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [
    tool,
    '--config',
    join(ROOT, config),
    '--output-type',
    'json',
    'src',
    'workflows',
    'activities',
    'config',
    'test',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 50_000_000 });
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

function ruleNames(config: string): string[] {
  const rules = createRequire(import.meta.url)(join(ROOT, config)) as { forbidden: { name: string }[] };
  return rules.forbidden.map(({ name }) => name).sort();
}

const toFiles = (plants: Plant[]): Record<string, string> =>
  Object.fromEntries(plants.map(([, file, code]) => [file, code]));

describe('import rules', () => {
  let clean: string;
  let planted: string;
  let found: { sources: Violation[]; runtime: Violation[]; cleanSources: Violation[]; cleanRuntime: Violation[] };

  beforeAll(async () => {
    clean = await plant(GROUND);
    planted = await plant({ ...GROUND, ...STEPS, ...toFiles(PLANTS), ...toFiles(REACHED) });
    const [sources, runtime] = await Promise.all([cruise(planted, SOURCES), cruise(planted, RUNTIME)]);
    const [cleanSources, cleanRuntime] = await Promise.all([cruise(clean, SOURCES), cruise(clean, RUNTIME)]);
    found = { sources, runtime, cleanSources, cleanRuntime };
  });

  afterAll(async () => {
    for (const folder of [clean, planted]) await rm(folder, { recursive: true, force: true });
  });

  it('should let everything pass that the table of folders allows', () => {
    expect([...found.cleanSources, ...found.cleanRuntime]).toEqual([]);
  });

  it.each(PLANTS)('should name %s for %s', (rule, file) => {
    expect(found.sources.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(rule);
  });

  it.each(REACHED)('should name %s for %s', (rule, file) => {
    expect(found.runtime.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(rule);
  });

  it('should have a plant for every rule', () => {
    expect(PLANTS.map(([rule]) => rule).sort()).toEqual(ruleNames(SOURCES));
    expect(REACHED.map(([rule]) => rule).sort()).toEqual(ruleNames(RUNTIME));
  });
});
