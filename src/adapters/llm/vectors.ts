export const BYTES_PER_FLOAT = 4;

/** A vector as 32-bit floats in base64: little-endian on every machine, since clients read it so. */
export function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * BYTES_PER_FLOAT);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * BYTES_PER_FLOAT);
  return bytes.toString('base64');
}
