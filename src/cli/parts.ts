import type { Env } from '../../config/env.js';
import type { SupplyReporter } from '../adapters/supply/reporter.js';
import { obtainModel } from '../adapters/supply/small-model.js';
import { obtainTemporalCli, type TemporalCli } from '../adapters/supply/temporal-cli.js';
import { TemporalDevServer } from '../adapters/temporal/dev-server.js';
import type { Steps } from './steps.js';

/** What a start needs from outside. */
export interface ObtainedParts {
  /** Undefined where Temporal is a real service. */
  cli: TemporalCli | undefined;
  modelPath: string | undefined;
}

/** Temporal as this process sees it, its own or a real service. */
export interface TemporalPart {
  address: string;
  uiUrl: string | null;
  stop(): Promise<void>;
}

/** Whether a provider other than the embedded one is configured. */
export const hasOtherProvider = (env: Env): boolean =>
  [env.OLLAMA_BASE_URL, env.OPENAI_API_KEY, env.OPENAI_BASE_URL, env.DEEPSEEK_API_KEY].some(Boolean);

/** Obtains what is not there yet; one after the other, so that there is one progress bar at a time. */
export async function obtainParts(env: Env, steps: Steps, reporter: SupplyReporter): Promise<ObtainedParts> {
  const options = { cache: env.cache, reporter };
  const cli =
    env.TEMPORAL_ADDRESS === undefined
      ? await steps.run(
          'Temporal CLI',
          () => obtainTemporalCli(options),
          ({ path }) => path,
        )
      : undefined;
  const model = steps.run(
    'model',
    () => obtainModel(env.EMBEDDED_MODEL, options),
    (path) => path,
  );
  if (env.EMBEDDED_MODEL !== undefined || !hasOtherProvider(env)) return { cli, modelPath: await model };
  // Another provider answers; the embedded one would only be its fallback, and is no reason not to start.
  const modelPath = await model.catch((error: unknown) => {
    steps.note(`going on without the embedded model: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  return { cli, modelPath };
}

/** Starts our own Temporal server, or takes the one that TEMPORAL_ADDRESS names. */
export async function startTemporal(env: Env, cli: TemporalCli | undefined, steps: Steps): Promise<TemporalPart> {
  if (!cli) {
    const address = env.TEMPORAL_ADDRESS ?? '';
    steps.note(`Temporal: ${address} (TEMPORAL_ADDRESS)`);
    return { address, uiUrl: null, stop: () => Promise.resolve() };
  }
  return steps.run(
    'Temporal server',
    () =>
      TemporalDevServer.start({
        cli,
        home: env.home,
        namespace: env.TEMPORAL_NAMESPACE,
        ports: { grpc: env.TEMPORAL_PORT, ui: env.TEMPORAL_UI_PORT },
        log: (message) => steps.note(message),
      }),
    ({ address }) => address,
  );
}
