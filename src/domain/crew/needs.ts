import { ENTITLEMENTS, type Entitlement } from '../../contracts/access.js';
import type { AgentTool, CrewDefinition } from '../../contracts/crew.js';
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
  const gathered = Object.values(tasks)
    .flatMap(({ gather }) => gather)
    .filter(({ optional }) => !optional);
  const needed = new Set(gathered.map(({ tool }) => entitlementOf(tool)));
  return ENTITLEMENTS.filter((one) => needed.has(one));
}
