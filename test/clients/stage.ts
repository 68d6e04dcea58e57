import OpenAI, { type ClientOptions } from 'openai';
import { chatProfile, DAO, fakeProvider, Product, type ProductOptions } from '../e2e/harness.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { FakeSettings } from '../fakes/fake-dialect.js';
import type { WireFake } from '../fakes/wire-fake.js';

/** What the rules choose. */
export const MODEL = 'dagi-stack';
/** Crews that a member may start. */
export const CREW_MODELS = ['microdao_onboarding', 'proposal_review', 'task_decomposition'].map((id) => `crew/${id}`);
export const CHAT = '/v1/chat/completions';

/** Cases whose length is in their nature take it in full only in `npm run conformance`. */
export const FULL_LENGTH = process.env.TEST_FULL_LENGTH === '1';

/** A conversation of one message. */
export const asks = (content: string): { model: string; messages: { role: 'user'; content: string }[] } => ({
  model: MODEL,
  messages: [{ role: 'user', content }],
});

/** Where a client in Python finds the stack. */
export interface PythonAddress {
  base_url: string;
  api_key: string;
}

/** A running stack with a model that is a fake, and the key of a member. */
export class Stage {
  private constructor(
    readonly product: Product,
    readonly fake: WireFake,
    readonly key: string,
  ) {}

  /** @param options may hold `limits` of the profile, and more about the `provider` that is the fake */
  static async open(options: Partial<ProductOptions> & { limits?: object; provider?: object } = {}): Promise<Stage> {
    const { limits, provider, ...rest } = options;
    const fake = await startFakeOpenAi();
    const profile = chatProfile([fakeProvider('fake', fake, { max_attempts: 1, ...provider })], ['fake'], limits);
    const product = await Product.open({ database: 'embedded', profile, ...rest });
    const { key } = await product.key({ dao_id: DAO, principal: 'tg:12345' });
    return new Stage(product, fake, key);
  }

  get address(): PythonAddress {
    return { base_url: this.base, api_key: this.key };
  }

  /** What people type into clients. */
  get base(): string {
    return `${this.product.url}/v1`;
  }

  /** The fake as at the beginning, but for these settings. */
  reset(settings: Partial<FakeSettings> = {}): void {
    this.fake.reset();
    this.fake.settings = { ...this.fake.settings, tokens: 0, tokenMs: 0, firstTokenMs: 0, ...settings };
  }

  /** After a failure: the model answers again, so that nobody thinks that it needs a rest. */
  async recover(): Promise<void> {
    this.reset();
    await this.client().chat.completions.create(asks('Well again'));
  }

  client(options: ClientOptions = {}): OpenAI {
    return new OpenAI({ apiKey: this.key, baseURL: this.base, maxRetries: 0, ...options });
  }

  /** A call as it goes over the wire. */
  send(body: unknown, headers: Record<string, string> = {}, key: string | null = this.key): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.product.fetch('POST', CHAT, { key, headers }, text);
  }

  async close(): Promise<void> {
    await this.product.close();
    await this.fake.close();
  }
}

/** A parsed error of OpenAI's form. */
export interface WireError {
  error: { message: string; type: string; param: string | null; code: string | null };
}
