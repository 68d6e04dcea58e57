import { z } from 'zod';
import { SANDBOXES } from '../src/contracts/devtools.js';

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

const LimitsSchema = z
  .strictObject({
    file_mb: whole(1, 64).default(8).describe('Largest file that is read or written, in megabytes.'),
    output_kb: whole(1, 4_096).default(256).describe('Most text of an answer, in kilobytes.'),
    timeout_s: whole(1, 600).default(300).describe('Longest run of tests or of a notebook, in seconds.'),
    memory_mb: whole(64, 65_536).default(1_024).describe('Of all processes of a run together, in megabytes.'),
    processes: whole(8, 8_192).default(256).describe('Most processes and threads of a run.'),
    scratch_mb: whole(1, 65_536).default(512).describe('Most that a run may write, in megabytes; it is thrown away.'),
  })
  .prefault({})
  .describe('What tools may use.');

export const DevtoolsSchema = z
  .strictObject({
    sandbox: z
      .enum(SANDBOXES)
      .default('bubblewrap')
      .describe(
        'Where programs run. process is weaker: they see files and network as the product does. off: no programs.',
      ),
    workspaces: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .describe('Folder of the workspaces, one for each DAO; by itself DAGI_HOME/workspaces.'),
    at_once: whole(1, 64).default(2).describe('Most runs of tests and notebooks at once in a process.'),
    limits: LimitsSchema,
  })
  .prefault({})
  .describe('Tools that work with files and programs.');
