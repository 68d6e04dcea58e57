import type { Driver } from './driver.js';
import { MODEL, type PythonAddress } from './stage.js';

/** What Dify's class made of an answer. */
export interface DifyAnswer {
  text: string;
  tool_calls: { id: string; type: string; function: { name: string; arguments: string } }[];
  pieces: number;
  finish_reason: string | null;
  usage: { prompt: number; completion: number } | null;
}

export interface DifyCall {
  messages: object[];
  stream?: boolean;
  parameters?: object;
  tools?: object[];
  stop?: string[];
  user?: string;
  /** How many pieces of a stream are read. */
  stop_after?: number;
}

/** Dify, as somebody has set it up. */
export class Dify {
  /** @param filled what was filled in beside the address, the key and the model */
  constructor(
    private readonly driver: Driver,
    private readonly address: PythonAddress,
    private readonly filled: object = {},
  ) {}

  private get credentials(): object {
    const { base_url: endpoint_url, api_key } = this.address;
    return { ...{ mode: 'chat', endpoint_url, api_key, endpoint_model_name: MODEL }, ...this.filled };
  }

  /** The same with other things filled in. */
  with(filled: object): Dify {
    return new Dify(this.driver, this.address, { ...this.filled, ...filled });
  }

  /** Saves the model. @throws ClientError where Dify does not accept it */
  save(): Promise<string> {
    return this.driver.call('validate', { model: MODEL, credentials: this.credentials });
  }

  /** Lets an app ask. @param onPiece is told of each piece of a stream */
  ask(call: DifyCall | string, onPiece?: () => void): Promise<DifyAnswer> {
    const said = typeof call === 'string' ? { messages: [{ role: 'user', content: call }] } : call;
    const parameters = { model: MODEL, credentials: this.credentials, stream: true, ...said };
    return this.driver.call<DifyAnswer>('invoke', parameters, onPiece);
  }
}
