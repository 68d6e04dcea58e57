import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { withHash, type HashedConfig } from '../adapters/profile-files.js';
import { describeTable, type RuleDescription, type TableDescription } from '../domain/explain.js';
import { AppError } from '../errors/app-error.js';
import { counted } from './count.js';
import { plain } from './plain-text.js';
import { table } from './table.js';

/** Longer conditions are cut in the table; `--json` has them whole. */
const LONGEST = 90;
const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1).toWellFormed()}…` : text);

/** What came of a check. */
export interface Checked {
  ok: boolean;
  text: string;
}

/** `dagi config check`: whether a profile can be used, and what it says, or all that is wrong with it. */
export function checkConfig(env: Env, profile: string, asJson: boolean): Checked {
  try {
    const config = withHash(loadConfig(env, profile));
    const described = describeTable(config.routing);
    const json = { ok: true, ...described, config_hash: config.hash, warnings: config.warnings };
    return { ok: true, text: asJson ? `${JSON.stringify(json, undefined, 2)}\n` : describe(config, described) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFIG_INVALID') throw error;
    const errors = error.message.split('\n');
    const text = asJson ? JSON.stringify({ ok: false, errors }, undefined, 2) : errors.join('\n');
    return { ok: false, text: `${plain(text)}\n` };
  }
}

function describe({ file, warnings, hash }: HashedConfig, described: TableDescription): string {
  const answers = described.known_answers.map(({ question, when }) => [question, cut(when)]);
  const weights = Object.entries(described.weights).map(([dao, weight]) => [dao, String(weight)]);
  return [
    `${plain(file)}\n\n`,
    rulesTable(described.rules),
    answers.length > 0 ? `\n${table(['answered without a model', 'when'], answers)}` : '',
    weights.length > 0 ? `\n${table(['dao', 'weight'], weights)}` : '',
    `\n${warnings.map((warning) => `warning: ${plain(warning)}\n`).join('')}`,
    `OK: ${counted(described.rules.length, 'rule')}, ${counted(warnings.length, 'warning')}, config ${hash}, table ${described.hash}\n`,
  ].join('');
}

/** Rules in the order in which they are tried. */
function rulesTable(rules: readonly RuleDescription[]): string {
  const rows = rules.map((rule, index) => [
    String(index + 1),
    rule.name,
    rule.priority === null ? 'default' : String(rule.priority),
    cut(rule.when),
    rule.use,
    rule.fallbacks.join(', ') || '-',
    rule.timeout_ms === null ? '-' : `${rule.timeout_ms} ms`,
    rule.cache ? `${rule.cache.ttl_ms / 1_000} s` : '-',
  ]);
  return table(['', 'rule', 'priority', 'when', 'provider', 'then', 'timeout', 'cache'], rows);
}
