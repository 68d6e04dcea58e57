import { z } from 'zod';
import { KNOWN_QUESTIONS } from '../src/contracts/request.js';
import { ConditionsSchema } from './conditions-schema.js';
import { milliseconds } from './limits-schema.js';
import { name } from './provider-schema.js';

const names = z.array(name).min(1);

/** What a rule does with requests that it takes. */
const ACTION = {
  use_provider: name
    .optional()
    .describe(
      'A provider, or auto: those that the environment offers, in the order Ollama, OpenAI, DeepSeek, embedded.',
    ),
  use_llm: name.optional().describe('A name of llm_aliases.'),
  use_metadata: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('The key of the metadata under which a request names a provider.'),
  allow: names
    .optional()
    .describe('With use_metadata: the providers that may be named. The rule takes no other request.'),
  fallback_provider: z
    .union([name, names], { error: "expected a provider's name, or a list of them" })
    .optional()
    .describe('Who is asked next: a provider, a list of them in order, or auto.'),
  timeout_ms: milliseconds.optional().describe('Cap on each call that this rule leads to, in milliseconds.'),
  cache: z
    .strictObject({
      ttl_s: z.number().int().min(1).max(2_592_000).describe('How long an answer may be given again, in seconds.'),
      max_entries: z.number().int().min(1).max(10_000).default(100).describe('Most answers kept for one DAO.'),
    })
    .optional()
    .describe('Keeps answers for those of the same DAO and roles who ask the same. Off where nothing is said.'),
};

const CHOICES = ['use_provider', 'use_llm', 'use_metadata'] as const;
/** The same for editors. */
const ONE_CHOICE = { oneOf: CHOICES.map((key) => ({ type: 'object', properties: { [key]: {} }, required: [key] })) };

interface Action {
  use_provider?: string | undefined;
  use_llm?: string | undefined;
  use_metadata?: string | undefined;
  allow?: string[] | undefined;
}

function checkAction(action: Action, context: z.RefinementCtx): void {
  const chosen = CHOICES.filter((key) => action[key] !== undefined);
  if (chosen.length !== 1) {
    const found = chosen.length === 0 ? 'none of them' : chosen.map((key) => `\`${key}\``).join(' and ');
    const message = `expected one of \`use_provider\`, \`use_llm\` and \`use_metadata\`, found ${found}`;
    context.addIssue({ code: 'custom', path: chosen.slice(1, 2), message });
    return;
  }
  if (chosen[0] === 'use_metadata' && !action.allow) {
    context.addIssue({
      code: 'custom',
      path: ['use_metadata'],
      message: 'needs `allow`, the providers that may be named',
    });
  }
  if (chosen[0] !== 'use_metadata' && action.allow) {
    context.addIssue({ code: 'custom', path: ['allow'], message: 'has no effect without `use_metadata`' });
  }
}

export const RuleSchema = z
  .strictObject({
    name: name.describe('Shown in the answer, and a search attribute.'),
    priority: z
      .number()
      .int()
      .default(100)
      .describe('The lowest of those that hold wins; the order in the file breaks ties.'),
    conditions: ConditionsSchema.default({}).describe('What a request must be like. None: every request.'),
    ...ACTION,
  })
  .superRefine(checkAction)
  .meta(ONE_CHOICE);

export const DefaultRuleSchema = z
  .strictObject({ name: name.default('default').describe('Shown in the answer.'), ...ACTION })
  .superRefine(checkAction)
  .meta({ ...ONE_CHOICE, description: 'The rule of requests that no other takes; without one they get 422 NO_ROUTE.' });

export const AnswerSchema = z.strictObject({
  question: z.enum(KNOWN_QUESTIONS).describe('What is answered: help, facts of the DAO, or the own roles.'),
  conditions: ConditionsSchema.describe('How the question is recognised.'),
});
