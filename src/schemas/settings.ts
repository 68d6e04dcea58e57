import { z } from 'zod';
import type { DaoSettings } from '../contracts/dao.js';

const MOST_HOURS = 720;
const MOST_WEIGHT = 1_000_000;
const MOST_ROLES = 50;
const MOST_MEMBERS = 20_000;

const share = z.number().min(0).max(1);
const weights = (name: z.ZodString, most: number): z.ZodType<Record<string, number>> =>
  z
    .record(name, z.number().min(0).max(MOST_WEIGHT))
    .refine((all) => Object.keys(all).length <= most, `are more than ${most}`);

/** What a DAO may settle, whether an admin says so or a vote; `isSetting` of the domain holds the same bounds. */
export const SETTINGS = {
  voting_hours: z.number().min(1).max(MOST_HOURS),
  quorum: share,
  /** One could never be exceeded. */
  threshold: share.lt(1),
  veto_hours: z.number().min(0).max(MOST_HOURS),
  sealed: z.boolean(),
  role_weights: weights(z.string().min(1).max(64), MOST_ROLES),
  member_weights: weights(z.string().regex(/^p_[0-9a-f]{32}$/, 'is no id of a member'), MOST_MEMBERS),
} satisfies { [Name in keyof DaoSettings]-?: z.ZodType<DaoSettings[Name]> };
