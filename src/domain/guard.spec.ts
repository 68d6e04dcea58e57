import { describe, expect, it } from '@jest/globals';
import { all, any, aRule, chain, has, is, length, matches, named, not } from '../../test/factories/routing.js';
import { loadDefaultRoles } from '../../config/seed.js';
import { aRecord, BASE, traffic } from '../../test/factories/traffic.js';
import type { RoutingRule, RoutingTable } from '../contracts/routing.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { compare, guardVerdict, type RoleChange } from './whatif.js';

/** What the last 800 requests were like. Of a change that touches fewer than two in a hundred the guard says nothing. */
const RECORDED = traffic(800).map((inputs, index) => aRecord(BASE, inputs, index));
const SHARE = { maxChangedShare: 0.02 };
const ROLES = loadDefaultRoles();

type Change = Partial<RoutingTable> | { roleChange: RoleChange };

/** The base table with one rule changed, in the order of priorities as the loader would put it. */
const rule = (name: string, changes: Partial<RoutingRule>): Change => ({
  rules: BASE.rules
    .map((one) => (one.name === name ? { ...one, ...changes } : one))
    .toSorted((a, b) => a.priority - b.priority),
});
const without = (name: string): Change => ({ rules: BASE.rules.filter((one) => one.name !== name) });
const provider = (name: string, changes: object): Change => ({
  providers: { ...BASE.providers, [name]: { ...BASE.providers[name]!, ...changes } },
});
const role = (name: string, entitlements: readonly string[], daoId: string | null = null): Change => ({
  roleChange: { daoId, roles: { [name]: entitlements } },
});
const answer = (index: number, pattern: string): Change => ({
  answers: BASE.answers.map((one, at) => (at === index ? { ...one, condition: matches(pattern) } : one)),
});
const minus = (name: string, entitlement: string): string[] => ROLES[name]!.filter((one) => one !== entitlement);
const plus = (name: string, entitlement: string): string[] => [...ROLES[name]!, entitlement];

function judged(change: Change): { report: WhatIfReport; verdict: ReturnType<typeof guardVerdict> } {
  const comparison = 'roleChange' in change ? { table: BASE, ...change } : { table: { ...BASE, ...change } };
  const report = compare(comparison, RECORDED);
  return { report, verdict: guardVerdict(report, SHARE) };
}

const LEGAL = is('task_type', 'legal', 'finance');
const PROPOSAL = has('proposal_id');
const NOT_DISCORD = not(is('source', 'discord'));
const CHATS = is('source', 'telegram', 'discord');

/** Mistakes that let somebody in. */
const ALLOWANCES: [string, Change][] = [
  ['guests may chat', role('guest', ['chat.read', 'chat.write'])],
  ['guests get the list of members', role('guest', ROLES.member!)],
  ['guests get the list of admins', role('guest', ROLES.admin!)],
  ['guests of one DAO may chat', role('guest', plus('guest', 'chat.write'), 'greenfood-dao')],
  ['guests of the smallest DAO may chat', role('guest', plus('guest', 'chat.write'), 'other-dao')],
  ['a known answer takes every prompt', { answers: [{ question: 'help', condition: all() }] }],
  ['the pattern of help matches everything', answer(0, '(?i)^\\W*(help|/help)?')],
  ['the pattern of roles lost its second word', answer(1, '(?i)\\bwho|my|my roles?\\b')],
  ['an alternative of a pattern is empty', answer(1, '(?i)my roles?|')],
  ['a default for everything', { defaultRule: aRule({ name: 'default', use: chain('local'), fallbacks: [] }) }],
  ['the rule for chats lost its condition', rule('chat', { condition: all() })],
  [
    'the rule for chats takes calls of the API too',
    rule('chat', { condition: is('source', 'telegram', 'discord', 'api') }),
  ],
  ['a negation around the sources of chats', rule('chat', { condition: not(CHATS) })],
  ['a negation around every source but one', rule('chat', { condition: not(is('source', 'mcp')) })],
  [
    'and instead of or where sources and DAO are asked',
    rule('other-dao', { condition: any(is('dao_id', 'other-dao'), CHATS) }),
  ],
];

/** Mistakes that lead many requests another way, or nowhere; some let somebody in as well. */
const CHANGES: [string, Change][] = [
  ['members may not chat', role('member', minus('member', 'chat.write'))],
  ['contributors may not chat', role('contributor', minus('contributor', 'chat.write'))],
  ['the role of admins is empty', role('admin', [])],
  ['guests may not even read', role('guest', [])],
  ['members manage keys', role('member', plus('member', 'key.manage'))],
  ['contributors execute proposals', role('contributor', plus('contributor', 'proposal.execute'))],
  ['guests start crews', role('guest', plus('guest', 'agent.crew'))],
  ['known answers are gone', { answers: [] }],
  ['the rule for chats is gone', without('chat')],
  ['a source is misspelt', rule('chat', { condition: is('source', 'telegramm', 'discord') })],
  ['chats are expected in mode crew', rule('chat', { condition: all(is('mode', 'crew'), CHATS) })],
  ['chats go to the hosted model', rule('chat', { use: chain('hosted'), fallbacks: ['local'] })],
  ['chats go to the dearest model', rule('chat', { use: chain('strong') })],
  ['legal questions go to the local model', rule('legal', { use: chain('local') })],
  ['facts go to the dearest model', rule('facts', { use: chain('strong') })],
  ['long prompts go to the local model', rule('long', { use: chain('local') })],
  ['a DAO’s own model is the hosted one', rule('other-dao', { use: chain('hosted') })],
  ['chats have no fallback', rule('chat', { fallbacks: [] })],
  ['the fallback of facts is misspelt, so it falls away', rule('facts', { fallbacks: [] })],
  ['the chain of a DAO that stays local leaves the house', rule('other-dao', { fallbacks: ['hosted'] })],
  ['one more provider may be chosen', rule('chosen', { use: named('provider', 'strong', 'hosted', 'local') })],
  ['one provider less may be chosen', rule('chosen', { use: named('provider', 'hosted') })],
  ['the key that names a provider is misspelt', rule('chosen', { use: named('providr', 'strong', 'hosted') })],
  ['legal questions are looked at last', rule('legal', { priority: 200 })],
  ['chats are looked at first', rule('chat', { priority: 1 })],
  ['facts and long prompts are swapped', rule('facts', { priority: 45 })],
  ['a DAO’s own rule is behind the general one', rule('other-dao', { priority: 300 })],
  ['the choice of a provider is looked at last', rule('chosen', { priority: 900 })],
  ['a negation is dropped', rule('legal', { condition: all(LEGAL, PROPOSAL, is('source', 'discord')) })],
  ['a condition is dropped', rule('legal', { condition: all(LEGAL, NOT_DISCORD) })],
  ['another condition is dropped', rule('legal', { condition: all(PROPOSAL, NOT_DISCORD) })],
  ['or instead of and', rule('legal', { condition: any(LEGAL, PROPOSAL, NOT_DISCORD) })],
  ['a value of a list is missing', rule('legal', { condition: all(is('task_type', 'legal'), PROPOSAL, NOT_DISCORD) })],
  ['a key is misspelt', rule('legal', { condition: all(is('tasktype', 'legal', 'finance'), PROPOSAL, NOT_DISCORD) })],
  ['the key that must be there is misspelt', rule('legal', { condition: all(LEGAL, has('proposal'), NOT_DISCORD) })],
  ['everybody may choose a provider', rule('chosen', { condition: not(is('dao_id', 'other-dao')) })],
  ['another DAO may choose a provider', rule('chosen', { condition: is('role', 'admin', 'contributor') })],
  ['the wrong DAO may choose a provider', rule('chosen', { condition: is('dao_id', 'other-dao') })],
  ['a pattern with an empty alternative', rule('facts', { condition: matches('(?i)when|where|') })],
  ['a pattern that heeds case', rule('facts', { condition: matches('\\b(when|where|who)\\b') })],
  ['a pattern with its anchors doubled', rule('facts', { condition: matches('(?i)^(when|where|who)$') })],
  [
    'a long prompt begins a digit too early',
    rule('long', { condition: any(length({ min: 40 }), is('task_type', 'summary')) }),
  ],
  ['max instead of min', rule('long', { condition: any(length({ max: 400 }), is('task_type', 'summary')) })],
  ['and instead of or', rule('long', { condition: all(length({ min: 400 }), is('task_type', 'summary')) })],
  ['the id of a DAO is misspelt', rule('other-dao', { condition: all(is('dao_id', 'otherdao'), CHATS) })],
  ['seconds instead of milliseconds for a rule', rule('facts', { timeoutMs: 10 })],
  ['seconds instead of milliseconds for the request', { requestTimeoutMs: 120 }],
  ['seconds instead of milliseconds for a provider', provider('hosted', { timeoutMs: 20 })],
  ['a tenth of the tokens', provider('local', { maxTokens: 20 })],
  ['ten times the slots of the only GPU', provider('local', { pool: { ...BASE.providers.local!.pool!, slots: 30 } })],
  ['no bound on attempts', provider('hosted', { maxAttempts: 50 })],
  ['every chat’s answer is kept for others', rule('chat', { cache: { ttlMs: 600_000, maxEntries: 100 } })],
  ['answers are kept for seconds instead of minutes', rule('facts', { cache: { ttlMs: 600, maxEntries: 100 } })],
];

/** Edits that nobody should have to confirm. */
const HARMLESS: [string, Change][] = [
  ['nothing', {}],
  ['a rule has another name', rule('chat', { name: 'talk' })],
  ['priorities are spread', { rules: BASE.rules.map((one) => ({ ...one, priority: one.priority * 10 })) }],
  ['a price', provider('strong', { price: { prompt: 2, completion: 8 } })],
  ['a provider that no rule names', provider('spare', { ...BASE.providers.hosted })],
  [
    'a rule for a DAO that is to come',
    { rules: [aRule({ condition: is('dao_id', 'new-dao'), use: chain('local'), fallbacks: [] }), ...BASE.rules] },
  ],
  ['conditions in another order', rule('legal', { condition: all(NOT_DISCORD, PROPOSAL, LEGAL) })],
  ['a weight alone: every request takes the way that it took', { weights: { 'greenfood-dao': 100 } }],
  ['a weight for a DAO that asks nothing', { weights: { ...BASE.weights, 'new-dao': 1 } }],
  ['a role that nobody has', role('keeper', ['key.manage'])],
  [
    'a default that refuses what was refused',
    { defaultRule: aRule({ condition: any(), use: chain('local'), fallbacks: [] }) },
  ],
];

describe('the guard', () => {
  it('is tried with at least fifty mistakes, each of another name', () => {
    const names = [...ALLOWANCES, ...CHANGES].map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(50);
  });

  it.each(ALLOWANCES)('catches that somebody is let in: %s', (_name, change) => {
    const { report, verdict } = judged(change);
    expect(report.newly_allowed).toBeGreaterThan(0);
    expect(verdict.ok).toBe(false);
    expect(verdict.reasons.join()).toContain('would be allowed');
  });

  it.each(CHANGES)('catches the mistake: %s', (_name, change) => {
    const { verdict } = judged(change);
    expect(verdict.ok).toBe(false);
    expect(verdict.reasons.join()).toContain('another way');
  });

  it.each(HARMLESS)('lets through what does no harm: %s', (_name, change) => {
    expect(judged(change)).toMatchObject({ report: { changed: 0 }, verdict: { ok: true, reasons: [] } });
  });
});
