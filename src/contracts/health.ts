/** State of a provider, as `/ready` tells it. */
export interface ProviderHealth {
  name: string;
  ok: boolean;
  ms: number;
  reason?: string;
}
