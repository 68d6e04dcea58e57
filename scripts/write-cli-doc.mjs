#!/usr/bin/env node
// Writes what `dagi … --help` prints into the documents: each block that begins with `Usage: dagi …` is written again.
// npm run write:help, or write-cli-doc.mjs [FOLDER], where the folder holds the compiled sources, by default dist/.
// A test compares the two.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
const DOCS = join(ROOT, 'docs');
const folder = resolve(process.argv[2] ?? join(ROOT, 'dist'));
const { helpIn } = await import(pathToFileURL(join(folder, 'src', 'cli', 'help.js')).href);

for (const name of readdirSync(DOCS).filter((entry) => entry.endsWith('.md'))) {
  const file = join(DOCS, name);
  const before = readFileSync(file, 'utf8');
  const after = helpIn(before);
  if (after === before) continue;
  writeFileSync(file, after);
  console.log(file);
}
