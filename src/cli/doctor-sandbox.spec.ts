import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { checkSandbox, sandboxFinding } from './doctor-sandbox.js';

describe(sandboxFinding, () => {
  const held = { kind: 'bubblewrap', bounds: 'cgroup v2', program: 'bubblewrap 0.11.0 (PATH)' } as const;

  it('says what programs run in', () => {
    const text = 'bubblewrap, bounds by cgroup v2, bubblewrap 0.11.0 (PATH)';
    expect(sandboxFinding('bubblewrap', held, false)).toEqual({ ok: true, text });
  });

  it('says what is less than it could be, and that root has nothing around it', () => {
    const { ok, text } = sandboxFinding('bubblewrap', { ...held, reason: 'limits hold it.' }, true);
    expect(ok).toBe(true);
    expect(text.split('\n')).toEqual([
      'bubblewrap, bounds by cgroup v2, bubblewrap 0.11.0 (PATH)',
      '     warning: limits hold it.',
      expect.stringMatching(/^ {5}warning: programs run as root/),
    ]);
  });

  it('fails with the reason where programs cannot be run, unless that is wanted', () => {
    const off = { kind: 'off', reason: 'no namespaces: allow them.' } as const;
    expect(sandboxFinding('bubblewrap', off, true)).toEqual({ ok: false, text: off.reason });
    expect(sandboxFinding('off', off, true)).toEqual({ ok: true, text: off.reason });
  });
});

describe(checkSandbox, () => {
  it('obtains nothing for a look', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'dagi-doctor-'));
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      const finding = await checkSandbox({ DAGI_PROFILE: 'dev', home: cache, cache } as Env);
      expect(finding).toMatchObject({ ok: true, text: expect.stringContaining('not here yet') });
    } finally {
      process.env.PATH = path;
      await rm(cache, { recursive: true });
    }
  });
});
