/**
 * IPv4 networks that are nobody's on the internet: of one machine, of one house, and of a cloud's own services. An
 * address of a URL is told in four decimal numbers, however it was written.
 */
const PRIVATE =
  /^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])|198\.1[89]|2(?:2[4-9]|[345]\d))\.(?:\d+\.){0,2}\d+$/;
/** Names that stand for something within a network: without a dot, or under one that is never public. */
const INNER = /^[^.]+$|\.(?:localhost|local|internal|home\.arpa|lan|svc)$/i;

/**
 * Whether an address leads, as far as it says so itself, to a host of the internet. A model's endpoint that fetches what
 * a client names must not be sent about in its own network. What a name is resolved to is the endpoint's to look at; a
 * bare IPv6 address, which nobody's images have, is refused with all others.
 */
export function isPublicAddress(address: string): boolean {
  // With a backslash, one reader of addresses finds another host than the next one does.
  if (!URL.canParse(address) || address.includes('\\')) return false;
  const { hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  const host = hostname.replace(/\.$/, '');
  return !host.startsWith('[') && !PRIVATE.test(host) && !INNER.test(host);
}
