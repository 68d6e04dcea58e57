import type { CrewDefinition } from '../../contracts/crew.js';
import { resolveReference } from './references.js';

/** What is done in a DAO once the output of a task is approved. */
export interface TaskAction {
  action: 'assign_role';
  /** As the output has it, whatever that is. */
  role: unknown;
  /** Whom the run is about. */
  user_id: string | null;
}

/** Whose output an action goes by. */
export interface ActionPlace {
  definition: CrewDefinition;
  inputs: Readonly<Record<string, unknown>>;
  subject: string | null;
}

/** What is done once this output of a task is approved; undefined: nothing. */
export function actionOf(
  { definition, inputs, subject }: ActionPlace,
  task: string,
  output: unknown,
): TaskAction | undefined {
  const action = definition.tasks[task]?.action;
  if (!action) return undefined;
  const role = resolveReference(action.role, { inputs, gathered: {}, outputs: { [task]: output } });
  return { action: action.action, role, user_id: subject };
}

/** What people see who are to approve the output of a task: the output, and what is done then. */
export function approvalShown(place: ActionPlace, task: string, output: unknown): Record<string, unknown> {
  const action = actionOf(place, task, output);
  return { output, ...(action && { action }) };
}
