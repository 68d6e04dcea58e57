/** Text from a server without what steers a terminal (C0, C1, DEL, and ESC among them); lines and tabs stay. */
export const plain = (text: string): string => text.replace(/(?![\n\t])\p{Cc}/gu, '');
