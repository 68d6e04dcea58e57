import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const ROOT = resolve(import.meta.dirname, '../..');
const RESOURCES = join(ROOT, 'node_modules/openai/resources');
/** Where OpenAI's library says what answers look like. */
const FILES = '{chat/completions/completions,completions,embeddings,models,shared}.d.ts';

/** Kinds of bodies, as the library names them. */
export type AnswerKind =
  'ChatCompletion' | 'ChatCompletionChunk' | 'Completion' | 'CreateEmbeddingResponse' | 'Model' | 'ErrorObject';

/**
 * Reads the types of OpenAI's library as JSON Schemas, in which more fields than they name are allowed.
 * @returns what tells what is wrong with a body; empty where nothing is. Takes some seconds to prepare.
 */
export function openAiSchemas(): (kind: AnswerKind, body: unknown) => string[] {
  const about = { tsconfig: join(ROOT, 'tsconfig.json'), skipTypeCheck: true, expose: 'all' as const };
  const generator = createGenerator({ ...about, path: join(RESOURCES, FILES), additionalProperties: true });
  const ajv = new Ajv({ allErrors: true, strict: false });
  return (kind, body) => {
    if (!ajv.getSchema(kind)) ajv.addSchema(generator.createSchema(kind) as object, kind);
    const validate = ajv.getSchema(kind);
    if (!validate) throw new Error(`there is no schema of ${kind}`);
    if (validate(body) as boolean) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${kind}${instancePath} ${message}`);
  };
}
