#!/usr/bin/env node
// A fake as a process of its own, a model endpoint or a chat platform:
// npx node test/fakes/serve-fake.mjs openai|ollama|gpu-ollama|telegram|discord [--port N] [SETTINGS JSON]
// Prints its address once it serves. It takes the Node that npm brought along: an older one has no hooks. Node strips the
// types; imports end in .js as everywhere, so they are led to .ts.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('.') || !specifier.endsWith('.js')) return next(specifier, context);
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    return next(existsSync(fileURLToPath(source)) ? source.href : specifier, context);
  },
});

const STARTS = {
  openai: async () => (await import('./fake-openai.ts')).startFakeOpenAi,
  ollama: async () => (await import('./fake-ollama.ts')).startFakeOllama,
  'gpu-ollama': async () => (await import('./fake-gpu-ollama.ts')).startFakeGpuOllama,
  discord: async () => (await import('./discord/fake-discord.ts')).startFakeDiscord,
  telegram: async () => (await import('./telegram/fake-telegram.ts')).startFakeTelegram,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' } },
});
const [kind = '', settings = '{}'] = positionals;
if (!(kind in STARTS)) {
  console.error('usage: serve-fake.mjs openai|ollama|gpu-ollama|telegram|discord [--port N] [SETTINGS JSON]');
  process.exit(2);
}
const start = await STARTS[kind]();
const fake = await start(JSON.parse(settings), Number(values.port));
console.log(fake.url);
