// A parent of the embedded model's process that a test kills: prints the child's process id once the model is loaded.
import { fromBuild } from './parts.mjs';

const { EmbeddedProvider } = await fromBuild('src/adapters/llm/embedded.js');
const provider = new EmbeddedProvider({ name: 'embedded', modelPath: process.argv[2] });
await provider.warmUp(AbortSignal.timeout(60_000));
console.log(provider.pid);
const messages = [{ role: 'user', content: 'Write a very long story about the sea.' }];
const call = { messages, maxTokens: 1_500, temperature: 0.8, topP: 1, signal: AbortSignal.timeout(60_000) };
const chunks = provider.generate(call)[Symbol.asyncIterator]();
while (!(await chunks.next()).done);
