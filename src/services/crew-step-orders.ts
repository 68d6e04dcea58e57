import type { ErrorObject } from '../contracts/bodies.js';
import type { ChatMessage } from '../contracts/chat.js';
import type { AgentTool } from '../contracts/crew.js';
import { TOOLS } from '../contracts/devtools.js';
import { MODE_PRIORITY, type Decision } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import { callOf, type NewStep } from '../adapters/store/crew-steps.js';
import type { LoadedRun } from '../adapters/store/crew-runs.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { sha256 } from '../adapters/digest.js';
import { entitlementOf } from '../domain/crew/needs.js';
import { assistantMessage, firstMessages, toolMessages } from '../domain/crew/prompt.js';
import type { StepOrder } from '../domain/crew/run-state.js';
import { numberedCalls, repairMessage } from '../domain/crew/turn.js';
import { turnOptions, turnSampling } from '../domain/crew/turn-form.js';
import { ERRORS } from '../errors/catalogue.js';
import type { Acting } from './access.service.js';
import type { World } from './crew-world.js';

/** A turn of a model, or a use of a tool, has so long; the providers' own limits are shorter. */
const STEP_MS = 900_000;

/** The step that is ordered, as it is written down. */
export async function stepOf(db: Db, run: LoadedRun, order: StepOrder, world: World, now: Date): Promise<NewStep> {
  const { key, task, agent, label } = order;
  const about = { crew: run.crew, task, agent, label };
  const deadlineAt = new Date(now.getTime() + STEP_MS);
  if (order.kind === 'tool') {
    const { tool, params } = order;
    const decision = toolDecision(tool, world.acting, world.table);
    const refused = refusalOf(tool, world);
    return { key, about, decision, deadlineAt, work: { tool: { tool, params } }, ...(refused && { refused }) };
  }
  const path = world.routes.get(agent)?.path;
  if (!path) throw new TypeError(`a turn of ${agent} was ordered, and nobody answers for it`);
  const messages = await messagesOf(db, run, order);
  const { maxTokens, isWarmable } = path;
  const sampling = isWarmable ? turnSampling(order.misses) : {};
  const options = { maxTokens, ...sampling, ...turnOptions(order.way, order.form) };
  return { key, about, decision: path.decision, deadlineAt, work: { call: { kind: 'chat', messages, options } } };
}

/** Why whoever started the run may not use a tool; undefined: they may. */
function refusalOf(tool: AgentTool, { acting, denials }: World): ErrorObject | undefined {
  const needed = entitlementOf(tool) ?? 'chat.read';
  const { entitlements, roles } = acting.rights;
  if (entitlements.includes(needed)) return undefined;
  const detail = { required_entitlement: needed, roles };
  denials.push({ ...detail, tool });
  const { message } = ERRORS.RBAC_PERMISSION_DENIED;
  return { code: 'RBAC_PERMISSION_DENIED', message, reason: `${tool} needs ${needed}`, ...detail };
}

/** The conversation of a turn: said anew, or what was said before with what follows from it. */
async function messagesOf(
  db: Db,
  run: LoadedRun,
  order: Extract<StepOrder, { kind: 'model' }>,
): Promise<ChatMessage[]> {
  const { says, way, key } = order;
  const mark = markOf(run.runId, key);
  if ('prompt' in says) return firstMessages({ ...says.prompt, mark });
  const before = await callOf(db, run, says.after);
  if (before?.kind !== 'chat') throw new TypeError(`the turn ${says.after} has no conversation`);
  const calls = way === 'native' ? numberedCalls(says.toolCalls) : [];
  const said = assistantMessage(says.text, calls);
  const { follow } = says;
  const told =
    'problems' in follow
      ? [repairMessage(follow.problems, mark)]
      : toolMessages(calls, follow.outcomes, { mark, maxChars: follow.maxChars });
  return [...before.messages, said, ...told];
}

/** One mark for each attempt, so that a conversation has the same all through. Data that holds it is broken up. */
const markOf = (runId: string, key: string): string =>
  sha256(`${runId} ${key.replace(/\.\d+(~\d+)?$/, '')}`).slice(0, 16);

function toolDecision(name: AgentTool, { rights }: Acting, table: RoutingTable): Decision {
  const tool = TOOLS.find((one) => one === name);
  return {
    mode: 'devtools',
    rule: 'crew',
    chain: [],
    ...{ roles: rights.roles, entitlements: rights.entitlements },
    ...{ deadlineMs: STEP_MS, priority: MODE_PRIORITY.crew, configHash: table.hash },
    ...(tool && { tool }),
  };
}
