// The Inspector's command line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { obtainFromNpm } from './mcp-suite.mjs';

const VERSION = '2.12.0';
/** How often the list of tools is asked for: it is the same each time. */
const TIMES = 3;

export class Inspector {
  static async obtain(door, tell) {
    const folder = await obtainFromNpm('@modelcontextprotocol/inspector', VERSION, tell);
    const inspector = new Inspector();
    Object.assign(inspector, { ...door, script: join(folder, 'clients', 'launcher', 'build', 'index.js') });
    inspector.home = await mkdtemp(join(tmpdir(), 'dagi-inspector-'));
    return inspector;
  }

  run(era, args) {
    const called = ['--cli', this.url, '--protocol-era', era, '--header', `Authorization: Bearer ${this.key}`];
    const env = { PATH: process.env.PATH, HOME: this.home };
    return runCommand(process.execPath, [this.script, ...called, '--stored-auth-only', ...args], { env });
  }

  /** MCP 3: schemas that any client can take, the same tools in the same order. */
  async lists(tell) {
    const seen = new Set();
    let said = '';
    for (const era of ['legacy', 'modern']) {
      for (let n = 0; n < TIMES; n += 1) {
        const { code, stdout, stderr } = await this.run(era, [
          '--method',
          'tools/list',
          '--strict',
          '--format',
          'json',
        ]);
        if (code !== 0) said = `${era}: exit ${code}: ${stderr}`;
        seen.add(code === 0 ? namesIn(stdout) : '');
      }
    }
    const ok = said === '' && seen.size === 1;
    tell(
      `${ok ? 'ok  ' : 'FAIL'} Inspector ${VERSION}: MCP 3: strict, six times the same: ${[...seen].join(' | ')} ${said}`,
    );
    return ok;
  }

  /** The client of one era. */
  in(era) {
    return {
      call: async (name, args) => {
        const asked = ['--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)];
        const { stdout, stderr } = await this.run(era, [...asked, '--format', 'json']);
        const parsed = jsonIn(stdout);
        if (!parsed) throw new Error(`${name}: ${stdout} ${stderr}`);
        const { content, ...result } = parsed.result ?? parsed;
        return { ...result, text: content.map(({ text }) => text).join('') };
      },
      ...(era === 'modern' && { patient: this.in('legacy') }),
      close: async () => undefined,
    };
  }

  async load(tell) {
    const args = [
      '--method',
      'tools/call',
      '--tool-name',
      'microdao_query',
      '--tool-args-json',
      '{"query_type":"roles"}',
    ];
    const load = ['--load', '--load-concurrency', '10', '--load-requests', '200'];
    const { code, stdout, stderr } = await this.run('modern', [...args, ...load]);
    tell(
      `${code === 0 ? 'ok  ' : 'FAIL'} Inspector ${VERSION}: load, 10 at once, 200 calls of microdao_query\n${stdout || stderr}`,
    );
    return code === 0;
  }

  close() {
    return rm(this.home, { recursive: true, force: true });
  }
}

function jsonIn(stdout) {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

const namesIn = (stdout) => {
  const parsed = jsonIn(stdout);
  return (parsed?.result ?? parsed)?.tools.map(({ name }) => name).join(' ');
};
