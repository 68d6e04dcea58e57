import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import stableStringify from 'safe-stable-stringify';
import { chainHash, headText, type AuditEntry, type AuditRow, type SignedHead } from '../contracts/audit.js';
import { verifyChain, type Problem, type Verdict } from './audit-verify.js';

const CHAIN = 'greenfood-dao';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const keys = generateKeyPairSync('ed25519');
const KEY_ID = '0123456789abcdef';

const entryAt = (seq: number, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  seq,
  chain: CHAIN,
  at: new Date(Date.UTC(2026, 10, 1) + seq * 60_000).toISOString(),
  actor: `p_${seq % 3}`,
  action: 'role.edit',
  subject: `role-${seq}`,
  detail: { entitlements: ['chat.read'], times: seq },
  ...changes,
});

/** Rows of a chain that goes on from `before`. */
function chained(entries: readonly AuditEntry[], before = ''): AuditRow[] {
  let hash = before;
  return entries.map((fields) => {
    const entry = stableStringify(fields);
    hash = chainHash(sha256, hash, entry);
    return { seq: fields.seq, entry, hash };
  });
}

const chainOfLength = (length: number): AuditRow[] => chained(Array.from({ length }, (_, place) => entryAt(place + 1)));

function signed(rows: readonly AuditRow[], seq: number, changes: Partial<SignedHead> = {}): SignedHead {
  const hash = rows.find((row) => row.seq === seq)?.hash ?? '';
  const day = `2026-11-${String((seq % 28) + 1).padStart(2, '0')}`;
  const head = { chain: CHAIN, day, seq, hash, at: `${day}T00:05:00.000Z`, key_id: KEY_ID, ...changes };
  const signature = sign(null, Buffer.from(headText(head)), keys.privateKey).toString('base64');
  return { ...head, signature: changes.signature ?? signature };
}

const verifies = (head: SignedHead, text: string): boolean | undefined =>
  head.key_id === KEY_ID
    ? verify(null, Buffer.from(text), keys.publicKey, Buffer.from(head.signature, 'base64'))
    : undefined;

const examine = (rows: readonly AuditRow[], heads: readonly SignedHead[] = []): Verdict =>
  verifyChain(rows, { sha256, chain: CHAIN, heads, verifies });

const covers = ({ seq, to }: Problem, place: number): boolean => seq <= place && place <= to;

/** A chain with a head somewhere, and a place at or before that head. */
const aCase = fc
  .integer({ min: 4, max: 40 })
  .chain((length) =>
    fc.record({ length: fc.constant(length), head: fc.integer({ min: 3, max: length }), seed: fc.nat() }),
  )
  .map(({ length, head, seed }) => ({ rows: chainOfLength(length), head, place: (seed % head) + 1 }));

/** A way to tamper with row `k`, counted from one. */
interface Tampering {
  kinds: string[];
  tamper: (rows: AuditRow[], k: number) => AuditRow[];
  /** What is to be named, where it is not `k`. */
  places?: (k: number, length: number) => number;
}

const TAMPERING: Record<string, Tampering> = {
  ...Object.fromEntries(
    (['chain', 'at', 'actor', 'action', 'subject', 'detail'] as const).map((field) => [
      `alter ${field} of a row`,
      {
        kinds: ['altered'],
        tamper: (rows: AuditRow[], k: number) => {
          const fields = { ...(JSON.parse(rows[k - 1]!.entry) as AuditEntry), [field]: `another ${field}` };
          return rows.with(k - 1, { ...rows[k - 1]!, entry: stableStringify(fields) });
        },
      },
    ]),
  ),
  'alter seq of a row’s text': {
    kinds: ['altered', 'renumbered'],
    tamper: (rows, k) =>
      rows.with(k - 1, { ...rows[k - 1]!, entry: stableStringify(entryAt(k, { seq: k + 1_000_000_000 })) }),
  },
  'make a text no JSON': {
    kinds: ['unreadable', 'altered'],
    tamper: (rows, k) => rows.with(k - 1, { ...rows[k - 1]!, entry: `${rows[k - 1]!.entry}}` }),
  },
  'alter a hash': {
    kinds: ['hash-altered'],
    tamper: (rows, k) => rows.with(k - 1, { ...rows[k - 1]!, hash: sha256('another') }),
  },
  'remove a row': { kinds: ['removed'], tamper: (rows, k) => rows.toSpliced(k - 1, 1) },
  'remove the end from a row on': { kinds: ['removed'], tamper: (rows, k) => rows.slice(0, k - 1) },
  'insert a row behind another': {
    kinds: ['inserted'],
    places: (k) => k + 1,
    tamper: (rows, k) => {
      const [added] = chained([entryAt(k + 1, { action: 'role.forged' })], rows[k - 1]!.hash);
      return rows.toSpliced(k, 0, added!);
    },
  },
  'insert a row with the number of another': {
    kinds: ['inserted'],
    tamper: (rows, k) => {
      const [added] = chained([entryAt(k, { action: 'role.forged' })], rows[k - 2]?.hash ?? '');
      return rows.toSpliced(k - 1, 0, added!);
    },
  },
  'duplicate a row': { kinds: ['duplicated'], tamper: (rows, k) => rows.toSpliced(k, 0, rows[k - 1]!) },
  'give a row another number': {
    kinds: ['renumbered'],
    tamper: (rows, k) => rows.with(k - 1, { ...rows[k - 1]!, seq: k + 1_000_000_000 }),
  },
  'write the chain anew from a row on': {
    kinds: ['rewritten'],
    tamper: (rows, k) => {
      const anew = rows.slice(k - 1).map((_, place) => entryAt(k + place, { actor: 'p_forger' }));
      return [...rows.slice(0, k - 1), ...chained(anew, rows[k - 2]?.hash)];
    },
  },
  'remove a row and write the rest anew with its numbers, before another was added': {
    kinds: ['rewritten'],
    tamper: (rows, k) => {
      const rest = rows.slice(k).map(({ entry }, place) => ({ ...(JSON.parse(entry) as AuditEntry), seq: k + place }));
      const added = entryAt(rows.length, { action: 'role.added' });
      return [...rows.slice(0, k - 1), ...chained([...rest, added], rows[k - 2]?.hash)];
    },
  },
};

describe('verifyChain', () => {
  it('finds nothing in a chain that nobody touched, and says what is proven', () => {
    fc.assert(
      fc.property(aCase, ({ rows, head, place }) => {
        const heads = [signed(rows, head), signed(rows, place, { day: '2026-10-01' })];
        const verdict = examine(rows, heads);
        expect(verdict).toMatchObject({ ok: true, problems: [], rows: rows.length, unknownKeys: [] });
        expect(verdict.proven?.seq).toBe(head);
        expect(verdict.unproven).toBe(rows.length - head);
      }),
    );
  });

  it.each(Object.entries(TAMPERING))('names the row: %s', (_name, { kinds, tamper, places }) => {
    fc.assert(
      fc.property(aCase, ({ rows, head, place }) => {
        const at = places?.(place, rows.length) ?? place;
        fc.pre(at <= rows.length);
        const { ok, problems, proven } = examine(tamper([...rows], place), [signed(rows, head)]);
        expect(ok).toBe(false);
        const found = problems.filter((problem) => kinds.includes(problem.kind));
        expect(found.some((one) => covers(one, at))).toBe(true);
        expect(proven?.seq ?? 0).toBeLessThan(at);
      }),
    );
  });

  it('names one of two rows that changed places, and nothing else', () => {
    fc.assert(
      fc.property(aCase, fc.nat(), ({ rows, head, place }, seed) => {
        const other = (seed % rows.length) + 1;
        fc.pre(other !== place);
        const swapped = rows.with(place - 1, rows[other - 1]!).with(other - 1, rows[place - 1]!);
        const { ok, problems } = examine(swapped, [signed(rows, head)]);
        expect(ok).toBe(false);
        expect(problems.every(({ kind }) => kind === 'reordered')).toBe(true);
        const between = (seq: number): boolean => seq >= Math.min(place, other) && seq <= Math.max(place, other);
        expect(problems.every(({ seq }) => between(seq))).toBe(true);
        expect(problems.some(({ seq }) => seq === place || seq === other)).toBe(true);
      }),
    );
  });

  it('names the one row that was moved', () => {
    const rows = chainOfLength(9);
    const moved = [...rows.slice(0, 2), rows[6]!, ...rows.slice(2, 6), ...rows.slice(7)];
    expect(examine(moved).problems).toMatchObject([{ seq: 7, to: 7, kind: 'reordered' }]);
  });

  it('names nothing but the row that was altered, whatever stands around it', () => {
    fc.assert(
      fc.property(aCase, ({ rows, head, place }) => {
        const altered = rows.with(place - 1, {
          ...rows[place - 1]!,
          entry: stableStringify(entryAt(place, { actor: 'p_x' })),
        });
        expect(examine(altered, [signed(rows, head)]).problems).toMatchObject([
          { seq: place, to: place, kind: 'altered' },
        ]);
        const hash = rows.with(place - 1, { ...rows[place - 1]!, hash: sha256('x') });
        expect(examine(hash, [signed(rows, head)]).problems).toMatchObject([
          { seq: place, to: place, kind: 'hash-altered' },
        ]);
      }),
    );
  });

  it('puts a chain that was written anew between the last head that holds and the first that does not', () => {
    const rows = chainOfLength(12);
    const heads = [3, 6, 9, 12].map((seq) => signed(rows, seq));
    const forged = rows.slice(6).map((_, place) => entryAt(7 + place, { actor: 'p_x' }));
    const verdict = examine([...rows.slice(0, 6), ...chained(forged, rows[5]!.hash)], heads);
    expect(verdict.problems).toMatchObject([{ seq: 7, to: 9, kind: 'rewritten' }]);
    expect(verdict.proven?.seq).toBe(6);
  });

  it('is not led astray by heads that were signed anew as well', () => {
    const rows = chainOfLength(9);
    const forged = [
      ...rows.slice(0, 4),
      ...chained(
        Array.from({ length: 5 }, (_, at) => entryAt(5 + at, { actor: 'p_x' })),
        rows[3]!.hash,
      ),
    ];
    const verdict = examine(forged, [signed(rows, 3), signed(rows, 7), signed(forged, 7), signed(forged, 9)]);
    expect(verdict.problems).toMatchObject([{ seq: 4, to: 7, kind: 'rewritten' }]);
    expect(verdict.proven?.seq).toBe(3);
  });

  it('cannot tell of rows behind the newest head that were left out or written anew, and says how many are not proven', () => {
    const rows = chainOfLength(10);
    const heads = [signed(rows, 6)];
    expect(examine(rows.slice(0, 8), heads)).toMatchObject({ ok: true, unproven: 2 });
    const forged = chained([entryAt(7, { actor: 'p_x' })], rows[5]!.hash);
    expect(examine([...rows.slice(0, 6), ...forged], heads)).toMatchObject({ ok: true, unproven: 1 });
    expect(examine(rows)).toMatchObject({ ok: true, proven: undefined, unproven: 10 });
  });

  it('says of a chain that is shorter than what was signed how much is gone, be it cut or written anew', () => {
    const rows = chainOfLength(9);
    const heads = [signed(rows, 4), signed(rows, 9)];
    const rest = rows.slice(6).map(({ entry }, place) => ({ ...(JSON.parse(entry) as AuditEntry), seq: 6 + place }));
    const anew = [...rows.slice(0, 5), ...chained(rest, rows[4]!.hash)];
    for (const shorter of [rows.slice(0, 8), anew]) {
      const { problems, proven } = examine(shorter, heads);
      expect(problems).toMatchObject([
        { seq: 9, to: 9, kind: 'removed', says: expect.stringContaining('rows 5 to 8') as unknown },
      ]);
      expect(proven?.seq).toBe(4);
    }
  });

  it('takes no head for true whose signature is wrong, of another text, or of a key that it does not know', () => {
    const rows = chainOfLength(5);
    const wrong = { ...signed(rows, 4), hash: sha256('forged') };
    expect(examine(rows, [wrong]).problems).toMatchObject([{ seq: 4, kind: 'head' }]);
    expect(examine(rows, [signed(rows, 4, { signature: 'AAAA' })]).problems).toMatchObject([{ seq: 4, kind: 'head' }]);
    const unknown = signed(rows, 5, { key_id: 'feedfeedfeedfeed' });
    expect(examine(rows, [unknown])).toMatchObject({ ok: true, proven: undefined, unknownKeys: ['feedfeedfeedfeed'] });
    const foreign = signed(rows, 4, { chain: 'other-dao' });
    expect(examine(rows, [foreign]).problems).toMatchObject([{ seq: 4, kind: 'head' }]);
  });

  it('names a row of another chain, however well it fits', () => {
    const rows = chainOfLength(5);
    const foreign = chained([entryAt(6, { chain: 'other-dao' })], rows[4]!.hash);
    expect(examine([...rows, ...foreign]).problems).toMatchObject([{ seq: 6, kind: 'foreign' }]);
  });

  it('judges an empty chain by its heads alone', () => {
    expect(examine([])).toMatchObject({ ok: true, rows: 0, unproven: 0 });
    expect(examine([], [signed([], 0)])).toMatchObject({ ok: true, proven: { seq: 0 } });
    expect(examine([], [signed(chainOfLength(3), 3)]).problems).toMatchObject([{ seq: 1, to: 3, kind: 'removed' }]);
  });

  it('takes a time that grows with the rows, even if they are in the wrong order and none fits', () => {
    const rows = chainOfLength(20_000).map((row) => ({ ...row, hash: sha256(row.entry) }));
    const began = performance.now();
    expect(examine(rows.reverse()).ok).toBe(false);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
