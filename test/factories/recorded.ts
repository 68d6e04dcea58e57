import { randomUUID } from 'node:crypto';
import type { RoutingTable } from '../../src/contracts/routing.js';
import type { RecordedDecision } from '../../src/contracts/whatif.js';
import { decide } from '../../src/domain/decide.js';
import { anInput } from './routing.js';

/** A request as it was decided under a table. `prompt` becomes the head and the length. */
export function aRecorded(
  table: RoutingTable,
  input: Parameters<typeof anInput>[0] = {},
  changes: Partial<RecordedDecision> = {},
): RecordedDecision {
  const inputs = anInput(input);
  const result = decide(table, inputs);
  const was: RecordedDecision['was'] = result.allowed
    ? { allowed: true, decision: result.decision }
    : { allowed: false, code: result.code };
  return { id: randomUUID(), daoId: inputs.access.dao.id, at: new Date(), inputs, was, ...changes };
}
