import { z } from 'zod';
import { BotsSchema } from './bots-schema.js';
import { DevtoolsSchema } from './devtools-schema.js';
import { DaosSchema, GuardSchema, LimitsSchema, LoggingSchema } from './limits-schema.js';
import { McpSchema } from './mcp-schema.js';
import { name, ProviderSchema } from './provider-schema.js';
import { AnswerSchema, DefaultRuleSchema, RuleSchema } from './rule-schema.js';

/** Refuses entries of one name, at the second one. */
function unique<T extends object>(key: keyof T & string, what: string) {
  return (entries: readonly T[], context: z.RefinementCtx): void => {
    const names = entries.map((entry) => entry[key]);
    names.forEach((own, index) => {
      if (names.indexOf(own) === index) return;
      context.addIssue({ code: 'custom', path: [index, key], message: `another ${what} has this name` });
    });
  };
}

const AuditSchema = z
  .strictObject({
    heads_folder: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .describe('Folder for signed heads; by itself DAGI_HOME/audit, which only the user of the product can enter.'),
  })
  .prefault({})
  .describe('The record.');

/** A profile file, `config/profiles/*.yml`, with what it extends and with variables put in. */
export const ProfileSchema = z
  .strictObject({
    version: z.string().min(1).max(64).describe('Version of what the file describes; text, so in quotes.'),
    environment: z
      .enum(['development', 'staging', 'production'])
      .default('development')
      .describe('development seeds a DAO, makes an admin key and has no guard; production insists on DAGI_ADMIN_KEY.'),
    debug: z.boolean().default(false).describe('true: the log has the lines of level debug too.'),
    llm_providers: z
      .array(ProviderSchema)
      .superRefine(unique('name', 'provider'))
      .default([])
      .describe('Providers beside those of the environment, or in their place.'),
    llm_aliases: z.record(name, name).default({}).describe('Names for providers, for rules with use_llm.'),
    routing_rules: z
      .array(RuleSchema)
      .superRefine(unique('name', 'rule'))
      .default([])
      .describe('Which provider takes a request.'),
    default: DefaultRuleSchema.optional(),
    answers: z
      .array(AnswerSchema)
      .superRefine(unique('question', 'entry'))
      .default([])
      .describe('Questions that can be answered without a model. Without this key those of base.yml; [] for none.'),
    limits: LimitsSchema,
    daos: DaosSchema,
    guard: GuardSchema,
    audit: AuditSchema,
    devtools: DevtoolsSchema,
    bots: BotsSchema,
    mcp: McpSchema,
    logging: LoggingSchema,
  })
  .superRefine((profile, context) => {
    const { routing_rules: rules, default: last } = profile;
    if (rules.length === 0 && !last) {
      const message = 'expected at least one rule, or a `default`';
      context.addIssue({ code: 'custom', path: ['routing_rules'], message });
    }
    if (last && rules.some((rule) => rule.name === last.name)) {
      context.addIssue({ code: 'custom', path: ['default'], message: `one of the rules has the name "${last.name}"` });
    }
  });

export type Profile = z.infer<typeof ProfileSchema>;
export type ProfileProvider = Profile['llm_providers'][number];
export type ProfileRule = Profile['routing_rules'][number];
export type ProfileDefaultRule = NonNullable<Profile['default']>;
