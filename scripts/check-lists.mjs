#!/usr/bin/env node
// What is listed twice must agree: error codes with docs/errors.md, environment variables with .env.example.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** First groups of all matches in a file; a missing file has none. */
function collect(file, pattern) {
  const path = resolve(ROOT, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return { file, names: [...text.matchAll(pattern)].map((match) => match[1]) };
}

function compare(what, left, right) {
  const empty = [left, right].filter(({ names }) => names.length === 0);
  if (empty.length > 0) return empty.map(({ file }) => `${file} lists no ${what}`);
  const problems = [];
  for (const [here, there] of [
    [left, right],
    [right, left],
  ]) {
    for (const name of here.names)
      if (!there.names.includes(name)) problems.push(`${what} ${name} is in ${here.file} but not in ${there.file}`);
    for (const name of new Set(here.names.filter((name, at) => here.names.indexOf(name) !== at)))
      problems.push(`${what} ${name} is twice in ${here.file}`);
  }
  return problems;
}

const problems = [
  ...compare(
    'error code',
    collect('src/errors/catalogue.ts', /^ {2}([A-Z][A-Z_]+): \{/gm),
    collect('docs/errors.md', /^\| `([A-Z][A-Z_]+)` \|/gm),
  ),
  ...compare(
    'variable',
    collect('config/env.ts', /^ {2}([A-Z][A-Z0-9_]+): /gm),
    collect('.env.example', /^#? ?([A-Z][A-Z0-9_]*)=/gm),
  ),
];
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
