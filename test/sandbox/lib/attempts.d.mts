/** What is tried, in this order. */
export const ATTEMPTS: readonly { name: string }[];
