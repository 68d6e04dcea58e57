import type { Entitlement } from '../contracts/access.js';
import { resolveRights } from './access.js';

/** A role with what it gives. */
export interface GivingRole {
  name: string;
  entitlements: string[];
}

const NOWHERE = { id: '', name: '' };

/** What roles give together. Names that no role has give nothing. */
export function givenBy(names: readonly string[], roles: readonly GivingRole[]): Entitlement[] {
  const held = roles.filter(({ name }) => names.includes(name));
  return resolveRights({ dao: NOWHERE, roles: held, platformAdmin: false }).entitlements;
}

/** The first of these names that no role has. */
export const unknownRole = (names: readonly string[], roles: readonly GivingRole[]): string | undefined =>
  names.find((name) => !roles.some((role) => role.name === name));

/** The first entitlement that is needed and not there. */
export const firstLacking = <T extends string>(needed: readonly T[], there: readonly string[]): T | undefined =>
  needed.find((one) => !there.includes(one));

/**
 * Whether somebody may do everything that is needed.
 * @param roleSets the roles of each member that somebody can act as
 */
export const someoneHolds = (
  needed: readonly Entitlement[],
  roleSets: readonly (readonly string[])[],
  roles: readonly GivingRole[],
): boolean => roleSets.some((names) => firstLacking(needed, givenBy(names, roles)) === undefined);

/** Whether two lists of roles are the same, in whatever order. */
export const sameRoles = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((role) => other.includes(role)) && other.every((role) => one.includes(role));

/** What changes say about values by name: null takes one away, what is not mentioned stays. */
export type ByName<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** Values by name, as they are after changes. */
export function mergedByName<T extends object>(before: T, changes: ByName<T> = {}): T {
  const all = Object.entries({ ...before, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined)) as T;
}
