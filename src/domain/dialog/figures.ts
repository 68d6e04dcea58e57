/** In which language something is written. */
interface Locale {
  locale: string;
}

/** Where a moment is told of that is nobody's own. */
export const EVERYWHERE = 'UTC';

/** A moment as people write it, where somebody lives, with the name of that zone; else at UTC. */
export function moment(at: Date, { locale }: Locale, timeZone = EVERYWHERE): string {
  const written = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(at);
  return timeZone === EVERYWHERE ? `${written} UTC` : `${written} (${timeZone})`;
}

export const figure = (value: number, { locale }: Locale): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
