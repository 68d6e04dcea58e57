import type { DaoSettings } from '../contracts/dao.js';
import type { ProposalFloors, ProposalRules } from '../contracts/proposal.js';

/** How a DAO decides that has settled nothing: what members know from elsewhere. */
const DEFAULTS = { voting_hours: 168, quorum: 0.15, threshold: 0.5, veto_hours: 24, sealed: false };

/** As in src/schemas/settings.ts, for what was written down before. */
const LEAST_VOTING_HOURS = 1;
const MOST_HOURS = 720;
const MOST_WEIGHT = 1_000_000;
const MOST_ROLES = 50;
const MOST_MEMBERS = 20_000;

/** The rules of a proposal that opens now: the DAO's settings, and nothing below what the installation demands. */
export function rulesOf(settings: DaoSettings, floors: ProposalFloors): ProposalRules {
  const atLeast = (name: keyof ProposalFloors): number => Math.max(floors[name], settings[name] ?? DEFAULTS[name]);
  return {
    voting_hours: atLeast('voting_hours'),
    quorum: atLeast('quorum'),
    threshold: atLeast('threshold'),
    veto_hours: atLeast('veto_hours'),
    sealed: settings.sealed ?? DEFAULTS.sealed,
    weights: settings.member_weights ? 'table' : settings.role_weights ? 'by_role' : 'equal',
  };
}

type Check = (value: unknown) => boolean;

const within =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;

const isWeights =
  (name: RegExp, most: number): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length <= most &&
    Object.keys(value).every((key) => name.test(key)) &&
    Object.values(value).every(within(0, MOST_WEIGHT));

/** A threshold of one could never be exceeded. */
const CHECKS: Readonly<Record<keyof DaoSettings, Check>> = {
  voting_hours: within(LEAST_VOTING_HOURS, MOST_HOURS),
  quorum: within(0, 1),
  threshold: (value) => value !== 1 && within(0, 1)(value),
  veto_hours: within(0, MOST_HOURS),
  sealed: (value) => typeof value === 'boolean',
  role_weights: isWeights(/^.{1,64}$/s, MOST_ROLES),
  member_weights: isWeights(/^p_[0-9a-f]{32}$/, MOST_MEMBERS),
};

/** Whether a DAO may have a setting of this name with this value. */
export const isSetting = (name: string, value: unknown): boolean =>
  Object.hasOwn(CHECKS, name) && CHECKS[name as keyof DaoSettings](value);
