/** What clients show in a way of its own; everything else is a text, or bytes. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ css: 'text/css', csv: 'text/csv', htm: 'text/html', html: 'text/html', md: 'text/markdown' },
  ...{ js: 'text/javascript', mjs: 'text/javascript', cjs: 'text/javascript', ts: 'text/x-typescript' },
  ...{ py: 'text/x-python', go: 'text/x-go', rs: 'text/x-rust', sh: 'application/x-sh', sql: 'application/sql' },
  ...{ json: 'application/json', ipynb: 'application/x-ipynb+json', xml: 'application/xml', pdf: 'application/pdf' },
  ...{ yaml: 'application/yaml', yml: 'application/yaml', toml: 'application/toml' },
  ...{ gif: 'image/gif', jpeg: 'image/jpeg', jpg: 'image/jpeg', png: 'image/png', svg: 'image/svg+xml' },
  ...{ webp: 'image/webp', mp3: 'audio/mpeg', wav: 'audio/wav', zip: 'application/zip' },
};

export const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain';

/** The kind of a file by its name; undefined: the name says nothing. */
export function mediaTypeOf(path: string): string | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined;
}

/** The kind of a file whose content is known to be a text, or none. */
export const mediaTypeFor = (path: string, isText: boolean): string =>
  mediaTypeOf(path) ?? (isText ? TEXT_TYPE : 'application/octet-stream');
