import { setTimeout as sleep } from 'node:timers/promises';

const ADMIN = 'tg:1';

/** An admin who approves whatever runs ask, and repeats it until there is an answer, as a good client does. */
export class Approver {
  /** Approvals by their runs. */
  made = new Map();
  /** Calls that nobody answered, and approvals of them that had been applied all the same. */
  repeated = 0;
  applied = 0;
  faults = [];

  constructor(client, signals) {
    Object.assign(this, { client, signals });
  }

  /** @param mayDecide (run, gate) resolves when a gate may be decided */
  start(mayDecide) {
    this.signals.onEach(({ what, run, key }) => {
      if (what !== 'asked') return;
      const approval = this.approve(run, key, mayDecide).catch((error) => this.faults.push(error.message));
      this.made.set(run, [...(this.made.get(run) ?? []), approval]);
    });
  }

  /** Resolves when all that a run has asked so far is approved. */
  all(run) {
    return Promise.all(this.made.get(run) ?? []);
  }

  /** Approves, and then once more, which must come to nothing. */
  async approve(run, gate, mayDecide) {
    await mayDecide(run, gate);
    await this.untilApplied(run, gate);
    const again = await this.untilAnswered(run, gate);
    if (again.body.error?.code !== 'GATE_CLOSED') this.fault(run, gate, 'was taken a second time', again);
  }

  async untilApplied(run, gate) {
    for (let lost = 0; ; lost += 1) {
      const answer = await this.send(run, gate);
      if (answer?.status === 200) return;
      if (answer?.body.error?.code === 'GATE_CLOSED') {
        if (lost === 0) this.fault(run, gate, 'was refused at first', answer);
        this.applied += 1;
        return;
      }
      await this.beforeNext(run, gate, answer);
    }
  }

  async untilAnswered(run, gate) {
    for (;;) {
      const answer = await this.send(run, gate);
      if (answer && answer.status < 500) return answer;
      await this.beforeNext(run, gate, answer);
    }
  }

  async beforeNext(run, gate, answer) {
    if (answer && answer.status < 500) throw new Error(`${run} ${gate} was refused: ${JSON.stringify(answer.body)}`);
    this.repeated += 1;
    await sleep(answer?.retryAfterMs ?? 200);
  }

  send(run, gate) {
    const body = JSON.stringify({ user_id: ADMIN, gate, revision: 1 });
    const headers = this.client.headers();
    const sent = this.client.call(`/crews/runs/${run}/approve`, { method: 'POST', headers, body });
    this.signals.tell(`sent ${run} ${gate}`);
    return sent;
  }

  fault(run, gate, what, { body }) {
    this.faults.push(`approval of ${run} ${gate} ${what}: ${JSON.stringify(body.error ?? body.state)}`);
  }
}
