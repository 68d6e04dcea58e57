// `npm run conformance [-- SUITE…]`: third-party suites against a running product, kept out of `npm test` for time.

/** Name of a suite → function that runs it and gives whether it passed. */
const SUITES = {};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = names.filter((name) => !(name in SUITES));
if (names.length === 0 || unknown.length > 0) {
  console.error(names.length === 0 ? 'There is no third-party suite yet.' : `There is no suite ${unknown.join(', ')}.`);
  process.exit(2);
}
for (const name of names) {
  console.log(`\n=== ${name} ===`);
  if (!(await SUITES[name]())) process.exitCode = 1;
}
