// Writes config/profile.schema.json, which editors read, from the schema of the loader: write-profile-schema.mjs [FOLDER],
// where the folder holds the compiled sources, by default dist/.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';

const ROOT = resolve(import.meta.dirname, '..');
const FILE = join(ROOT, 'config', 'profile.schema.json');
const folder = resolve(process.argv[2] ?? join(ROOT, 'dist'));
const { profileJsonSchema } = await import(pathToFileURL(join(folder, 'config', 'profile-json-schema.js')).href);
const style = await resolveConfig(FILE);
writeFileSync(FILE, await format(JSON.stringify(profileJsonSchema()), { ...style, parser: 'json' }));
console.log(FILE);
