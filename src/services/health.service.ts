import type { ProviderHealth } from '../contracts/health.js';
import { QUEUES } from '../contracts/ids.js';
import { AppError } from '../errors/app-error.js';

/** Something that can be asked for a sign of life. */
export interface Dependency {
  name: string;
  check: () => Promise<void>;
}

export interface Readiness {
  ready: boolean;
  dependencies: Record<string, { ok: boolean; reason?: string; ms: number }>;
  warnings: string[];
}

/** Most time that a dependency gets to answer, in milliseconds. */
const CHECK_MS = 2_000;

/** What was heard of providers counts this long, in milliseconds: anybody may ask us, and each of them costs a call. */
const PROVIDERS_MS = 5_000;

/** Whether a chat can be answered, and if not, why. */
export class HealthService {
  private heard: { at: number; of: string; providers: Promise<ProviderHealth[]> } | undefined;

  /**
   * @param routed the providers to which rules lead at the moment; no other could answer anybody
   * @param providers asks them for a sign of life; never rejects
   */
  constructor(
    private readonly dependencies: readonly Dependency[],
    private readonly routed: () => readonly string[],
    private readonly providers: (names: readonly string[]) => Promise<ProviderHealth[]>,
    private readonly polling: () => string[],
    private readonly warnings: () => readonly string[] | Promise<readonly string[]>,
  ) {}

  /** Checks everything at once. Ready means: database, Temporal, a worker, and at least one provider of a rule. */
  async readiness(): Promise<Readiness> {
    const worker: Dependency = { name: 'worker', check: () => this.checkWorker() };
    const [checked, providers, warnings] = await Promise.all([
      Promise.all([...this.dependencies, worker].map(examine)),
      this.hear(),
      this.warnings(),
    ]);
    const usable = providers.some(({ ok }) => ok);
    // Why a provider is away is for the log and `dagi doctor`: its address and its words are no stranger's business.
    const told = providers.map(
      ({ name, ok, ms }) => [`provider/${name}`, { ok, ms, ...(ok ? {} : { reason: 'does not answer' }) }] as const,
    );
    return {
      ready: usable && checked.every(([, { ok }]) => ok),
      dependencies: Object.fromEntries([...checked, ...told]),
      warnings: [...warnings],
    };
  }

  /** What the providers said a moment ago, or say now. Those who ask at once share the answer. */
  private hear(): Promise<ProviderHealth[]> {
    const now = Date.now();
    const routed = this.routed();
    const of = routed.join();
    if (this.heard?.of !== of || now - this.heard.at >= PROVIDERS_MS) {
      this.heard = { at: now, of, providers: this.providers(routed) };
    }
    return this.heard.providers;
  }

  private checkWorker(): Promise<void> {
    if (this.polling().includes(QUEUES.orchestrator)) return Promise.resolve();
    return Promise.reject(new Error('no worker takes tasks in this process yet'));
  }
}

async function examine({
  name,
  check,
}: Dependency): Promise<readonly [string, { ok: boolean; reason?: string; ms: number }]> {
  const began = Date.now();
  try {
    await within(check(), CHECK_MS);
    return [name, { ok: true, ms: Date.now() - began }];
  } catch (error) {
    const reason = error instanceof AppError || error instanceof Error ? error.message : 'failed';
    return [name, { ok: false, reason, ms: Date.now() - began }];
  }
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms} ms`));
    }, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
