import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { ENTITLEMENTS } from '../src/contracts/access.js';
import { packagePath } from './paths.js';

const RolesSchema = z.strictObject({ roles: z.record(z.string(), z.array(z.enum(ENTITLEMENTS))) });

const SeedSchema = z.strictObject({
  daos: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      facts: z.record(z.string(), z.string()),
      members: z.record(z.string(), z.array(z.string())),
    }),
  ),
});

export type DefaultRoles = z.infer<typeof RolesSchema>['roles'];
export type Seed = z.infer<typeof SeedSchema>;

const readYaml = (...path: string[]): unknown => parse(readFileSync(packagePath('config', ...path), 'utf8'));

/** Roles that every new DAO starts with. */
export const loadDefaultRoles = (): DefaultRoles => RolesSchema.parse(readYaml('rbac.yml')).roles;

/** The DAO that development starts with. */
export const loadDevSeed = (): Seed => SeedSchema.parse(readYaml('seed-dev.yml'));
