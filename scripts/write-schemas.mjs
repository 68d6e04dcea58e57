// Writes the JSON Schemas that editors read, config/profile.schema.json, crew.schema.json and intents.schema.json beside it,
// from the schemas of the loaders: npm run write:schema, or write-schemas.mjs [FOLDER], where the folder holds the compiled sources, by
// default dist/.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';

const ROOT = resolve(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(ROOT, 'dist'));
const load = (name) => import(pathToFileURL(join(folder, 'config', name)).href);

const { profileJsonSchema } = await load('profile-json-schema.js');
const { crewJsonSchema } = await load('crew-json-schema.js');
const { intentsJsonSchema } = await load('intents-schema.js');

for (const [name, schema] of [
  ['profile.schema.json', profileJsonSchema()],
  ['crew.schema.json', crewJsonSchema()],
  ['intents.schema.json', intentsJsonSchema()],
]) {
  const file = join(ROOT, 'config', name);
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(schema), { ...style, parser: 'json' }));
  console.log(file);
}
