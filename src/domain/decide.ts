import type { Entitlement } from '../contracts/access.js';
import { PROGRAM_TOOLS, TOOLS } from '../contracts/devtools.js';
import {
  MODE_ENTITLEMENTS,
  MODE_PRIORITY,
  type Decision,
  type DecisionInputs,
  type KnownQuestion,
  type ProviderStep,
} from '../contracts/request.js';
import { PROMPT_HEAD, type RoutingTable } from '../contracts/routing.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { resolveRights, type Rights } from './access.js';
import { entitlementToRun } from './crew/needs.js';
import { holds, promptMatcher, type PromptMatcher, type Subject } from './conditions.js';
import { matchNamed, matchRule, type Match } from './routing.js';
import { namedProvider } from '../contracts/virtual-models.js';

export type DecideResult =
  | { allowed: true; decision: Decision }
  | { allowed: false; code: ErrorCode; rights: Rights; detail: Record<string, unknown> };

/** Rule of a question that is answered without a model, for those who may not ask one. */
const NO_MODEL_RULE = 'known-answer';

/** Rule of a request for a tool. */
const TOOL_RULE = 'devtools';

/** Rule of a request for a crew. */
const CREW_RULE = 'crew';

/** A run has no deadline of its own: its tasks, steps and gates have. This one is a year, in milliseconds. */
const CREW_DEADLINE_MS = 365 * 86_400_000;

/** Budget of a program with its wait for a worker, in milliseconds; how long it may run is the profile's. */
const PROGRAM_DEADLINE_MS = 900_000;

/** What a decision depends on of a prompt. */
export function promptInputs(prompt: string): Pick<DecisionInputs, 'promptHead' | 'promptLength'> {
  let promptLength = 0;
  for (let at = 0; at < prompt.length; at += (prompt.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) promptLength += 1;
  return { promptHead: prompt.slice(0, PROMPT_HEAD).toWellFormed(), promptLength };
}

/**
 * Access and route of one request. Pure: the same inputs and table give the same decision, before the start of a
 * workflow, in front of a new profile, or years later over the record.
 * @param matches says what the prompt matches; by default its recorded head does
 * @throws TypeError if a rule looks at a prompt that was erased
 */
export function decide(
  table: RoutingTable,
  inputs: DecisionInputs,
  matches: PromptMatcher = promptMatcher(inputs.promptHead),
): DecideResult {
  const { mode, access } = inputs;
  const rights = resolveRights(access);
  const subject: Subject = { inputs, roles: rights.roles, matches };
  const answer = knownQuestion(table, subject, rights);
  const needed = neededFor(inputs);
  if (!rights.entitlements.includes(needed)) {
    if (answer) return allow(table, inputs, rights, { answer });
    const detail = { required_entitlement: needed, roles: rights.roles };
    return { allowed: false, code: 'RBAC_PERMISSION_DENIED', rights, detail };
  }
  if (mode === 'devtools') return decideTool(table, inputs, rights);
  if (mode === 'crew') return decideCrew(table, inputs, rights);

  const named = namedProvider(inputs.model);
  const match = named === undefined ? matchRule(table, subject) : matchNamed(table, subject, named);
  if (match) return allow(table, inputs, rights, routed(table, inputs, match, answer));
  // Whoever may do more must not get less: somebody without `chat.write` would have been answered.
  if (answer) return allow(table, inputs, rights, { answer });
  if (named !== undefined) return { allowed: false, code: 'MODEL_NOT_FOUND', rights, detail: {} };
  return { allowed: false, code: 'NO_ROUTE', rights, detail: { mode } };
}

/** The entitlement that a request needs: a crew that is open to guests asks for no more than to read. */
export const neededFor = ({ mode, crew }: Pick<DecisionInputs, 'mode' | 'crew'>): Entitlement =>
  mode === 'crew' ? entitlementToRun(crew?.guests) : MODE_ENTITLEMENTS[mode];

/** Where the turns of a crew's agents go is decided when they are taken. */
function decideCrew(table: RoutingTable, inputs: DecisionInputs, rights: Rights): DecideResult {
  const { crew } = inputs;
  if (!crew) return { allowed: false, code: 'CREW_NOT_FOUND', rights, detail: {} };
  return allow(table, inputs, rights, { rule: CREW_RULE, crew, deadlineMs: CREW_DEADLINE_MS });
}

/** A tool needs no provider, so no rule has a say in it. */
function decideTool(table: RoutingTable, inputs: DecisionInputs, rights: Rights): DecideResult {
  const named = inputs.metadata.tool;
  const tool = TOOLS.find((name) => name === named);
  if (tool === undefined) return { allowed: false, code: 'BODY_INVALID', rights, detail: { tool: named ?? null } };
  const longMs = PROGRAM_TOOLS.includes(tool) ? PROGRAM_DEADLINE_MS : 0;
  return allow(table, inputs, rights, { rule: TOOL_RULE, tool, deadlineMs: Math.max(table.requestTimeoutMs, longMs) });
}

/**
 * Where a turn of an agent goes: the rule that takes mode crew, or else the one that takes the chats of whoever started the
 * run. It looks at the crew and its agent alone: what members wrote must not choose who is asked.
 * @param provider that the crew names; open as `provider/<name>` is
 */
export function decideStep(
  table: RoutingTable,
  access: DecisionInputs['access'],
  { crew, agent, provider }: { crew: string; agent: string; provider: string | undefined },
): Decision | undefined {
  const rights = resolveRights(access);
  for (const mode of ['crew', 'chat'] as const) {
    const about = { agent, source: 'crew', metadata: { crew }, access, promptHead: '', promptLength: 0 };
    const inputs: DecisionInputs = { ...about, mode };
    const subject: Subject = { inputs, roles: rights.roles, matches: promptMatcher('') };
    const match = provider === undefined ? matchRule(table, subject) : matchNamed(table, subject, provider);
    if (!match) continue;
    const { rule, chain } = routed(table, inputs, match, undefined);
    const part = { rule, chain: chain.map(besideOthers), priority: MODE_PRIORITY.crew };
    const made = allow(table, { mode: 'chat', access }, rights, part);
    return made.allowed ? made.decision : undefined;
  }
  return undefined;
}

/** A run does its local activities one after the other: a turn that were one would hold up all others. */
const besideOthers = (step: ProviderStep): ProviderStep =>
  step.shape === 'local' ? { ...step, shape: 'eager' } : step;

/** What a rule makes of a request that it takes. */
function routed(
  table: RoutingTable,
  { model }: DecisionInputs,
  { rule, chain }: Match,
  answer: KnownQuestion | undefined,
): Partial<Decision> & Pick<Decision, 'rule' | 'chain'> {
  const callMs = Math.min(rule.timeoutMs ?? table.requestTimeoutMs, table.requestTimeoutMs);
  return {
    rule: rule.name,
    chain: chain.map((provider) => toStep(table, provider, callMs)),
    // What is kept answers the same question; a conversation is more than its last one.
    ...(rule.cache && model === undefined ? { cache: rule.cache } : {}),
    ...(answer ? { answer } : {}),
  };
}

function allow(
  table: RoutingTable,
  { mode, access }: Pick<DecisionInputs, 'mode' | 'access'>,
  rights: Rights,
  part: Partial<Decision>,
): DecideResult {
  const weight = access.dao.weight ?? own(table.weights, access.dao.id);
  const decision: Decision = {
    mode,
    rule: NO_MODEL_RULE,
    chain: [],
    ...rights,
    deadlineMs: table.requestTimeoutMs,
    ...(weight === undefined ? {} : { weight }),
    ...part,
    configHash: table.hash,
  };
  return { allowed: true, decision };
}

/** The question that the database can answer, if a chat's prompt is one and its actor may read. */
export function knownQuestion(
  { answers }: RoutingTable,
  subject: Subject,
  { entitlements }: Rights,
): KnownQuestion | undefined {
  if (subject.inputs.mode !== 'chat' || subject.inputs.model !== undefined || !entitlements.includes('chat.read'))
    return undefined;
  return answers.find(({ condition }) => holds(condition, subject))?.question;
}

function toStep(table: RoutingTable, provider: string, callMs: number): ProviderStep {
  const policy = own(table.providers, provider);
  if (!policy) throw new TypeError(`rule names provider ${provider}, which the loader should have refused`);
  return { provider, ...policy, timeoutMs: Math.min(policy.timeoutMs, callMs) };
}

/** What is there under a name that comes from outside; not what every object inherits. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
