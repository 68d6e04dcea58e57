/** A call that Discord answers with an error. */
export class DiscordRefusal extends Error {
  readonly status: number;
  readonly code: number;
  /** Whether no application should ever send this, however things stand. */
  readonly isMalformed: boolean;

  constructor(status: number, code: number, message: string, isMalformed = false) {
    super(message);
    this.status = status;
    this.code = code;
    this.isMalformed = isMalformed;
  }
}

export const unknownChannel = (): DiscordRefusal => new DiscordRefusal(404, 10_003, 'Unknown Channel');
export const unknownMessage = (): DiscordRefusal => new DiscordRefusal(404, 10_008, 'Unknown Message');
export const unknownWebhook = (): DiscordRefusal => new DiscordRefusal(404, 10_015, 'Unknown Webhook');
export const unknownInteraction = (): DiscordRefusal => new DiscordRefusal(404, 10_062, 'Unknown interaction');
export const acknowledged = (): DiscordRefusal =>
  new DiscordRefusal(400, 40_060, 'Interaction has already been acknowledged.', true);
export const missingAccess = (): DiscordRefusal => new DiscordRefusal(403, 50_001, 'Missing Access');
export const anotherApplication = (): DiscordRefusal =>
  new DiscordRefusal(403, 20_012, 'You are not authorized to perform this action on this application');
export const emptyMessage = (): DiscordRefusal => new DiscordRefusal(400, 50_006, 'Cannot send an empty message', true);
export const deadToken = (): DiscordRefusal => new DiscordRefusal(401, 50_027, 'Invalid Webhook Token');
export const badForm = (what: string): DiscordRefusal =>
  new DiscordRefusal(400, 50_035, `Invalid Form Body: ${what}`, true);
export const unauthorized = (): DiscordRefusal => new DiscordRefusal(401, 0, '401: Unauthorized', true);
export const unknownRoute = (): DiscordRefusal => new DiscordRefusal(404, 0, '404: Not Found', true);
