import type { Path } from './complaints.js';
import type { Complain } from './crew-data-check.js';
import type { CrewTask } from './crew-schema.js';
import { hint, quoted } from './nearest.js';

/** What is known beside the crew itself. */
export interface Known {
  /** Roles of the DAO; left out: not known, as of a file. */
  roles?: readonly string[];
}

/** A task with where it stands. */
export interface PlacedTask {
  id: string;
  task: CrewTask;
  path: Path;
}

/** Complains of roles that the DAO does not have, where its roles are known. */
export function checkRoles(named: readonly string[], path: Path, { roles }: Known, complain: Complain): void {
  if (!roles) return;
  named.forEach((role, index) => {
    if (!roles.includes(role))
      complain([...path, index], `there is no role ${quoted(role)} in this DAO${hint(role, roles)}`);
  });
}
