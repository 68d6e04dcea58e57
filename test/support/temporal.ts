import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundle } from '@temporalio/worker';

/** Entry point of all workflows, as the worker bundles it. */
export const WORKFLOWS_PATH = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Address of the development server that was started once for this kind of test. */
export function temporalAddress(): string {
  const address = process.env.TEST_TEMPORAL_ADDRESS;
  if (!address)
    throw new Error('No TEST_TEMPORAL_ADDRESS: this kind of test starts no Temporal (test/support/global-setup.mjs)');
  return address;
}

/** Quiet runtime and a connected environment; call once in `beforeAll`, and `teardown()` in `afterAll`. */
export async function connectTemporal(): Promise<TestWorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  return TestWorkflowEnvironment.createFromExistingServer({ address: temporalAddress(), namespace: 'default' });
}

/** A queue that no other test uses. */
export const uniqueQueue = (prefix = 'test'): string => `${prefix}-${randomUUID()}`;

let bundle: Promise<WorkflowBundle> | undefined;

/** The bundle of all workflows: of the whole kind, where it is made once for it (global-setup.mjs), else of the test file. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= obtainBundle(process.env.TEST_WORKFLOW_BUNDLE);
  return bundle;
}

async function obtainBundle(file: string | undefined): Promise<WorkflowBundle> {
  if (file) return { code: await readFile(file, 'utf8') };
  return bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('ERROR') });
}
