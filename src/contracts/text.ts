/** Text that the database can keep: PostgreSQL keeps no U+0000, and JSON columns no half surrogate pairs. */
export const storable = (value: string): string => value.toWellFormed().replaceAll('\0', '');
