/** A port of this machine that is free at the moment. */
export function freePort(): Promise<number>;
