import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import stableStringify from 'safe-stable-stringify';
import type { Logger } from 'pino';
import type { Env } from '../../config/env.js';
import { buildFromDocument, loadConfig, type LoadedConfig, type ProfileDocument } from '../../config/loader.js';
import { profileFile } from '../../config/profile-files.js';
import { AppError } from '../errors/app-error.js';
import { FileWatch } from './file-watch.js';

/** A loaded profile with the hash of all that is written in it. */
export type HashedConfig = LoadedConfig & { hash: string };

/**
 * The hash by which a profile is confirmed: of all that is written in it and in what it extends, addresses and models
 * too. Not of the variables of a process: several processes that run one profile need not have the same.
 */
export function withHash(config: LoadedConfig): HashedConfig {
  const written = stableStringify(config.document);
  return { ...config, hash: createHash('sha256').update(written).digest('hex').slice(0, 16) };
}

/** The files of the profile that a process runs: read, built again from a record, watched. */
export class ProfileFiles {
  /** Which profile: its name, or its file. */
  readonly profile: string;
  private readonly file: string;
  private readonly files: FileWatch;
  private wasRead = false;

  constructor(
    private readonly env: Env,
    log: Logger,
  ) {
    this.file = profileFile(env.DAGI_PROFILE);
    this.profile = basename(this.file, '.yml') === env.DAGI_PROFILE ? env.DAGI_PROFILE : this.file;
    this.files = new FileWatch(log);
  }

  /** @throws AppError `CONFIG_INVALID` */
  read(): HashedConfig {
    try {
      const config = withHash(loadConfig(this.env));
      this.wasRead = true;
      return config;
    } catch (error) {
      if (!this.wasRead || existsSync(this.file)) throw error;
      const sentence = `${this.file}: the file is gone: put it back, or start with another profile.`;
      throw new AppError('CONFIG_INVALID', sentence, {}, { cause: error });
    }
  }

  /** Builds a profile that was recorded, with the variables of now. @throws AppError `CONFIG_INVALID` */
  build(document: unknown): HashedConfig {
    return { ...withHash(buildFromDocument(document as ProfileDocument, this.env)), file: this.file };
  }

  /** Calls back when one of these files has changed; replaces what was watched before. */
  watch(files: readonly string[], onChange: () => void): void {
    this.files.watch(files, onChange);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}
