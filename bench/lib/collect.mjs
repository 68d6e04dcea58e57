// Loaded into each thread of the product before anything else: on a signal all collect their garbage, as far as it goes,
// and the main one writes down what it then holds.
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.BENCH_HEAP_FILE;
const channel = new BroadcastChannel('collect garbage');
channel.onmessage = collect;
channel.unref();
if (isMainThread && file) process.on('SIGUSR2', tell);

function tell() {
  channel.postMessage('now');
  collect();
  writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.new`, file);
}

function collect() {
  globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
