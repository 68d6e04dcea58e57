import { ENTITLEMENTS, type Entitlement } from '../../contracts/access.js';
import type { AgentTool, CrewDefinition, GatherDefinition } from '../../contracts/crew.js';
import { TOOLS } from '../../contracts/devtools.js';

/** What a run asks of whoever starts it, whatever it does. */
export const entitlementToRun = (isOpenToGuests: boolean | undefined): Entitlement =>
  isOpenToGuests ? 'chat.read' : 'agent.crew';

/** What a tool asks of whoever started the run; undefined: nothing. */
export function entitlementOf(tool: AgentTool): Entitlement | undefined {
  if (TOOLS.some((name) => name === tool)) return 'agent.devtools';
  return tool.startsWith('dao_') ? 'chat.read' : undefined;
}

/**
 * What whoever starts a run of a crew must be allowed beside the crew itself, as it would fail without: what it gathers
 * in any case. What agents may ask for, and what is gathered if it can be, is refused then and there.
 * @returns each once, in the order of the vocabulary
 */
export function requiredEntitlements({ tasks }: Pick<CrewDefinition, 'tasks'>): Entitlement[] {
  const needed = new Set(Object.values(tasks).flatMap(({ gather }) => neededBy(gather)));
  return ENTITLEMENTS.filter((one) => needed.has(one));
}

/** Of several of which one must give something, what all of them ask for. */
function neededBy(gathers: readonly GatherDefinition[]): (Entitlement | undefined)[] {
  const sure = gathers.filter(({ optional, one_of }) => !optional && one_of === undefined);
  const several = Map.groupBy(
    gathers.filter(({ one_of }) => one_of !== undefined),
    ({ one_of }) => one_of,
  );
  const alike = [...several.values()].map((all) => [...new Set(all.map(({ tool }) => entitlementOf(tool)))]);
  return [...sure.map(({ tool }) => entitlementOf(tool)), ...alike.filter(({ length }) => length === 1).flat()];
}

/** Whether outputs of a crew are held to roles of the DAO. */
export const looksAtRoles = ({ tasks }: Pick<CrewDefinition, 'tasks'>): boolean =>
  Object.values(tasks).some(({ checks }) => checks.some(({ check }) => check === 'role'));
