import { z } from 'zod';
import { COMMAND_NAMES } from '../src/contracts/conversation.js';
import { LANGUAGES } from '../src/contracts/dialog.js';
import type { JsonSchema } from './schema-keys.js';

/** Longest message that an intent looks at where it does not say so itself, in characters. */
const USUAL_LENGTH = 80;
/** No intent looks at longer ones: what is that long is a question. */
const LONGEST = 400;

const words = z.array(z.string().min(1).max(60)).max(60);
const patterns = z.array(z.string().min(1).max(400)).max(40);

const IntentSchema = z.strictObject({
  command: z.enum(COMMAND_NAMES).describe('The command that is meant.'),
  args: z
    .string()
    .max(100)
    .default('')
    .describe('What stands behind the command; {name} is what the group (?P<name>…) matched.'),
  max_length: z
    .int()
    .min(1)
    .max(LONGEST)
    .default(USUAL_LENGTH)
    .describe('Longer messages are questions, in characters.'),
  patterns: z
    .partialRecord(z.enum(LANGUAGES), patterns)
    .describe('Regular expressions (RE2) by language; each stands for a whole message, in capitals or not.'),
});

export const IntentsSchema = z.strictObject({
  fillers: z
    .partialRecord(z.enum(LANGUAGES), words)
    .default({})
    .describe('Words by language that mean nothing at the beginning and at the end of a message.'),
  intents: z.array(IntentSchema).max(100).describe('What words mean; the first that fits is the one.'),
});

/** The JSON Schema of the file, as editors read it. */
export function intentsJsonSchema(): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(IntentsSchema, { io: 'input' }) as JsonSchema;
  return { $schema, title: 'Wording of commands of DAGI Stack', ...rest };
}
