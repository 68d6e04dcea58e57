import { Connection } from '@temporalio/client';

const PROBE_MS = 3_000;

interface Credentials {
  tls?: boolean | undefined;
  apiKey?: string | undefined;
}

/** Whether a Temporal server answers at this address and accepts us. */
export async function probeTemporal(address: string, { tls, apiKey }: Credentials): Promise<boolean> {
  try {
    const connection = await Connection.connect({
      address,
      connectTimeout: PROBE_MS,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
