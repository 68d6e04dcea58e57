import type { Logger } from 'pino';
import { requestFields, type RequestSubject } from '../src/contracts/log-fields.js';

/** A logger whose lines name the request that they are about. */
export type ActivityLog = (subject: RequestSubject) => Logger;

/** Binds the fields that every line of a request carries, in whatever process. */
export const requestLog =
  (logger: Logger): ActivityLog =>
  (subject) =>
    logger.child(requestFields(subject));
