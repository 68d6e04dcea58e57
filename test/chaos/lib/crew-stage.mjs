import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { startFake } from '../../support/fake-process.mjs';
import { CallFollower } from './call-follower.mjs';
import { CrewJournal } from './crew-journal.mjs';
import { NOTE, plantFiles } from './crew-plays.mjs';
import { Installation } from './installation.mjs';
import { KEY, MemberClient } from './member.mjs';
import { Signals } from './signals.mjs';

const DAO = 'greenfood-dao';
const ADMIN = 'tg:1';
/** A call takes about half a second, so that it can be broken off. */
const MODEL = { firstTokenMs: [150, 350], tokenMs: 10, ledger: true };

/** What is killed of each kind. Temporal is up before the others look for it. */
const VICTIMS = {
  worker: ['worker'],
  api: ['api'],
  temporal: ['temporal'],
  product: ['temporal', 'api', 'worker'],
};

/** Temporal, API and a worker of all queues as processes, and a model that survives. */
export class Stage extends Installation {
  signals = new Signals();

  async open(scripts) {
    await this.prepare('crews');
    this.workspace = join(this.folder, 'home', 'workspaces', DAO);
    mkdirSync(this.workspace, { recursive: true });
    plantFiles(this.workspace);
    this.fake = await startFake('openai');
    this.closers.push(() => this.fake.stop());
    await this.fake.control({ ...MODEL, scripts });
    await this.openProcesses();
    this.journal = await CrewJournal.open(this.postgres.url, this.signals);
    this.closers.push(() => this.journal.close());
    this.calls = new CallFollower(this.fake.url, this.signals);
    void this.calls.follow();
    await this.makeCrew();
  }

  async openProcesses() {
    const profile = this.profile(profileText(this.fake.url));
    const api = await this.api(profile, this.environmentOf('api'));
    const queues = ['--queue', 'orchestrator', 'llm-ollama', 'devtools'];
    const worker = this.worker('worker', [...queues, ...profile], { env: this.environmentOf('worker') });
    this.parts = { temporal: this.temporal, api: api.victim, worker };
    for (const part of Object.values(this.parts)) await this.start(part);
    this.client = new MemberClient(api.url, KEY);
  }

  /** @param name of the process: its connections have it, so that the journal tells who did what */
  environmentOf(name) {
    const database = new URL(this.postgres.url);
    database.searchParams.set('application_name', name);
    return this.environment({ DATABASE_URL: database.href });
  }

  async makeCrew() {
    const options = { method: 'PUT', headers: this.client.headers(), body: JSON.stringify(NOTE) };
    const answer = await this.client.call(`/crews/note?dao_id=${DAO}&user_id=${ADMIN}`, options);
    if (answer?.status !== 200) throw new Error(`no crew: ${JSON.stringify(answer?.body)}`);
  }

  /**
   * Kills something of the installation, and starts it again.
   * @param meanwhile done while it is away
   */
  async strike(name, downMs, meanwhile) {
    const names = VICTIMS[name];
    await Promise.all(names.map((one) => this.parts[one].kill()));
    await meanwhile?.();
    await sleep(downMs);
    for (const one of names.filter((one) => one === 'temporal')) await this.parts[one].start();
    await Promise.all(names.filter((one) => one !== 'temporal').map((one) => this.parts[one].start()));
  }

  /** Workflows of runs that have not ended, as Temporal's visibility has them: a second late. */
  async openWorkflows() {
    const connection = await Connection.connect({ address: this.temporalAddress });
    try {
      const { workflow } = new Client({ connection });
      return (await workflow.count('WorkflowType = "crewRun" AND ExecutionStatus = "Running"')).count;
    } finally {
      await connection.close();
    }
  }

  async close() {
    if (this.calls) this.calls.over = true;
    await super.close();
  }
}

const profileText = (url) => `version: "0.4.0"
environment: development
llm_providers:
  - { name: fake, type: openai-compatible, config: { base_url: "${url}/v1", model: fake-model, max_tokens: 800 } }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: fake }]
limits: { request_timeout_ms: 180000 }
`;
