import type { GenerateResult } from '../src/contracts/request.js';
import type { RequestRecord } from '../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { requestBody } from '../src/domain/bodies.js';

/** The request had ended before this call: it was answered by an earlier run of the activity, or closed otherwise. */
export function endedEarlier(bus: InProcessTokenBus, record: RequestRecord | undefined): GenerateResult {
  if (record && record.answer !== null) {
    // Whoever wrote it down may not have lived to say so.
    const position = { generation: record.generation, offset: record.answer.length };
    bus.publish(record.id, { type: 'done', data: requestBody(record), position });
  }
  if (record?.status !== 'completed' || !record.usage) {
    return { outcome: 'superseded', status: record?.status ?? 'failed' };
  }
  const { provider, usage, finishReason } = record;
  return { outcome: 'recorded', provider, usage, finishReason: finishReason ?? 'stop' };
}
