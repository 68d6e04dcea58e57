/** A command as it was written. */
export interface Command {
  /** Lower case, without the slash. */
  name: string;
  /** What stands behind it, without blanks around it. */
  args: string;
}

/** A message that begins with a command, as the platforms write one; the bot's own name behind it was taken off before. */
export function commandOf(text: string): Command | undefined {
  const [, name, args = ''] = /^\/([a-z0-9_]{1,32})(?:\s+([^]*))?$/iu.exec(text.trim()) ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), args: args.trim() };
}
