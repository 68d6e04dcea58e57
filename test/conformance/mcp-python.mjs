// The official Python client as a process that calls what it is told to.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class PythonClient {
  static async start({ python, packages }, { url, key }, mode, asked) {
    const client = new PythonClient();
    const script = join(import.meta.dirname, 'mcp_client.py');
    client.child = spawn(python, [script, url, key, mode, asked], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONPATH: packages },
    });
    client.said = '';
    client.child.stderr.setEncoding('utf8').on('data', (text) => {
      client.said = (client.said + text).slice(-2_000);
    });
    client.ended = new Promise((done) => client.child.once('close', done));
    client.lines = createInterface({ input: client.child.stdout })[Symbol.asyncIterator]();
    client.tools = await client.next();
    return client;
  }

  async next() {
    const { value, done } = await this.lines.next();
    if (done) {
      await this.ended;
      throw new Error(`the Python client ended: ${this.said}`);
    }
    return JSON.parse(value);
  }

  call(name, args) {
    this.child.stdin.write(`${JSON.stringify({ name, args })}\n`);
    return this.next();
  }

  close() {
    this.child.stdin.end();
    return this.ended;
  }
}
