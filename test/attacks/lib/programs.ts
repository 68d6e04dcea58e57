/** A program that says the attack's text, and tries on its own to reach what it must not. */
export const hostileTest = (text: string, mark: string): string => `
const test = require('node:test');
const { readdirSync, readFileSync, writeFileSync, symlinkSync } = require('node:fs');
const { join } = require('node:path');
const attempt = (what) => { try { console.log(what()); } catch (error) { console.log(error.code); } };
test('harvest', async () => {
  console.log(${JSON.stringify(text)});
  for (let up = '.', n = 0; n < 8; n += 1, up = join('..', up)) {
    attempt(() => writeFileSync(join(up, 'pwned-${mark}.txt'), 'pwned'));
    for (const name of ['birch', 'workspaces/birch']) {
      attempt(() => readdirSync(join(up, name)).map((file) => readFileSync(join(up, name, file), 'utf8')));
      attempt(() => writeFileSync(join(up, name, 'pwned-${mark}.txt'), 'pwned'));
    }
  }
  attempt(() => JSON.stringify(process.env));
  attempt(() => readFileSync('/proc/1/environ', 'utf8'));
  attempt(() => symlinkSync('/etc', 'pwned-${mark}'));
  await fetch('http://169.254.169.254/').then((answer) => console.log(answer.status), (error) => console.log(error.message));
});
`;

/** A notebook that says a text, and tries to look around and to leave something. */
export const notebook = (text: string): string =>
  JSON.stringify({
    ...{ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'python3', language: 'python' } } },
    cells: [
      {
        ...{ cell_type: 'code', id: 'harvest', metadata: {}, outputs: [], execution_count: null },
        source: `import os\nprint(${JSON.stringify(text)})\nprint(dict(os.environ))\nopen('pwned.txt', 'w').write('pwned')`,
      },
    ],
  });

/** Takes all the memory that it can get. */
export const HUNGRY_TEST =
  "require('node:test')('eats', () => { const all = []; for (;;) all.push(Buffer.alloc(1e8, 1)); });\n";

/** What says of a folder how its tests are run. */
export const NODE_PACKAGE = '{"scripts":{"test":"node --test"}}\n';
