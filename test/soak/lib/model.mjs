// A wire fake as a process that tells its parent of each call: when it began, and when and how it ended.
// Forked with its kind (`openai` or `ollama`) and its settings; sends `{ url }` once it serves.
import '../../support/typescript.mjs';

const STARTS = {
  openai: async () => (await import('../../fakes/fake-openai.ts')).startFakeOpenAi,
  ollama: async () => (await import('../../fakes/fake-ollama.ts')).startFakeOllama,
};

const [kind, settings] = process.argv.slice(2);
const start = await STARTS[kind]();
const fake = await start(JSON.parse(settings));
const { stats } = fake;
const [begin, complete, close] = ['begin', 'complete', 'close'].map((name) => stats[name].bind(stats));

stats.begin = (marker) => {
  process.send({ event: 'begin', marker, at: Date.now() });
  return begin(marker);
};
// The answer is whole: what the model had to do is done, whoever still reads.
stats.complete = (call) => {
  process.send({ event: 'end', marker: call.marker, at: Date.now() });
  complete(call);
};
stats.close = (call) => {
  if (!call.completed) process.send({ event: 'end', marker: call.marker, at: Date.now() });
  close(call);
};

process.once('disconnect', () => process.exit(0));
process.send({ url: fake.url });
