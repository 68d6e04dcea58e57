import { Client, Connection } from '@temporalio/client';
import { writeFileSync } from 'node:fs';
export async function dump(stage, runs) {
  const connection = await Connection.connect({ address: stage.temporalAddress });
  const { workflow } = new Client({ connection });
  for (const run of runs.filter((r) => !r.isOver)) {
    const history = await workflow.getHandle(`crew/${run.crew}/${run.id}`).fetchHistory();
    const { historyToJSON } = await import('@temporalio/common/lib/proto-utils.js');
    writeFileSync(`/tmp/chaoscrews-history-${run.id}.json`, historyToJSON(history));
    console.log('dumped', run.id);
  }
  await connection.close();
}
