export default async function teardown() {
  await Promise.all(globalThis.testServers.map((stop) => stop?.()));
}
