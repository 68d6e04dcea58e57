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
 * Whoever has one role at least of each of these groups may do everything that is needed; smallest first, each once.
 * @returns undefined where something is given by no role
 */
export function rolesForAll(
  needed: readonly Entitlement[],
  roles: readonly GivingRole[],
): readonly (readonly string[])[] | undefined {
  const groups = new Map<string, string[]>();
  for (const one of needed) {
    const names = roles.filter((role) => givenBy([role.name], [role]).includes(one)).map(({ name }) => name);
    if (names.length === 0) return undefined;
    groups.set(JSON.stringify(names), names);
  }
  return [...groups.values()].toSorted((a, b) => a.length - b.length);
}

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
