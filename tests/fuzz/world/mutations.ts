import fc from "fast-check";

/** One change to some bytes: which, and numbers that say where and how. */
type Mutation = readonly [kind: number, at: number, much: number, other: number];

/** What lengths and counts are set to. */
const NUMBERS = [
  0,
  1,
  7,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  35_000,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
];

/** Longest result in bytes, so that no series of doublings takes all memory. */
const LONGEST = 256 * 1024;

/**
 * Bytes made from one of `seeds` by up to eight changes: flipped bits, other lengths, what is cut off, left out, doubled, put in,
 * swapped. A failing input shrinks by leaving changes out.
 *
 * @param words put in now and then: what means something in the format
 */
export function mutated(seeds: readonly Buffer[], words: readonly (string | Buffer)[] = []): fc.Arbitrary<Buffer> {
  const tokens = words.map((word) => Buffer.from(word as string));
  const number = fc.nat(0xffff);
  const mutation = fc.tuple(fc.nat(KINDS.length - 1), number, number, number);
  return fc.tuple(fc.nat(seeds.length - 1), fc.array(mutation, { maxLength: 8 })).map(([seed, mutations]) => {
    let bytes: Buffer = Buffer.from(seeds[seed] as Buffer);
    for (const change of mutations) bytes = mutate(bytes, change, seeds, tokens).subarray(0, LONGEST);
    return bytes;
  });
}

function mutate(
  bytes: Buffer,
  [kind, at, much, other]: Mutation,
  seeds: readonly Buffer[],
  words: readonly Buffer[],
): Buffer {
  const place = at % (bytes.length + 1);
  return (KINDS[kind] as Kind)({ bytes, place, much, other, seeds, words });
}

interface Change {
  readonly bytes: Buffer;
  /** From 0 to the length of the bytes, both of them included. */
  readonly place: number;
  readonly much: number;
  readonly other: number;
  readonly seeds: readonly Buffer[];
  readonly words: readonly Buffer[];
}
type Kind = (change: Change) => Buffer;

const insert = (bytes: Buffer, place: number, piece: Buffer) =>
  Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);

const sized =
  (size: number, kind: (bytes: Buffer, place: number, number: number) => unknown): Kind => ({ bytes, place, much }) => {
    if (bytes.length < size) return bytes;
    const number = (NUMBERS[much % NUMBERS.length] as number) % 256 ** size;
    kind(bytes, Math.min(place, bytes.length - size), number);
    return bytes;
  };

const KINDS: readonly Kind[] = [
  // One bit is another.
  ({ bytes, place, much }) => {
    if (place < bytes.length) bytes[place] = (bytes[place] as number) ^ (1 << (much % 8));
    return bytes;
  },
  // One byte is another.
  ({ bytes, place, much }) => {
    if (place < bytes.length) bytes[place] = much & 0xff;
    return bytes;
  },
  // Numbers of one, two and four bytes.
  sized(1, (bytes, place, number) => bytes.writeUInt8(number, place)),
  sized(2, (bytes, place, number) => bytes.writeUInt16BE(number, place)),
  sized(4, (bytes, place, number) => bytes.writeUInt32BE(number, place)),
  // A number in digits.
  ({ bytes, place, much }) => {
    const digits = Buffer.from(String(NUMBERS[much % NUMBERS.length]));
    let end = place;
    while (end < bytes.length && (bytes[end] as number) >= 0x30 && (bytes[end] as number) <= 0x39) end++;
    return Buffer.concat([bytes.subarray(0, place), digits, bytes.subarray(end)]);
  },
  // The end is missing.
  ({ bytes, place }) => bytes.subarray(0, place),
  // Something is left out.
  ({ bytes, place, much }) => Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + much % 64)]),
  // Something comes twice, or very often.
  ({ bytes, place, much }) => insert(bytes, place, bytes.subarray(place, place + much % 256)),
  ({ bytes, place, much, other }) => {
    const piece = bytes.subarray(place, place + 1 + much % 16);
    return insert(bytes, place, Buffer.concat(Array.from({ length: other % 512 }, () => piece)));
  },
  // Two parts stand in the other order.
  ({ bytes, place, much, other }) => {
    const middle = Math.min(bytes.length, place + much % 128);
    const end = Math.min(bytes.length, middle + other % 128);
    const parts: [number, number][] = [[0, place], [middle, end], [place, middle], [end, bytes.length]];
    return Buffer.concat(parts.map(([from, to]) => bytes.subarray(from, to)));
  },
  // A word of the format is put in.
  ({ bytes, place, much, words }) =>
    words.length === 0 ? bytes : insert(bytes, place, words[much % words.length] as Buffer),
  // Any bytes are put in.
  ({ bytes, place, much, other }) => {
    const piece = Buffer.alloc(much % 32);
    for (let index = 0; index < piece.length; index++) piece[index] = (other * (index + 7) + (much >> 3)) & 0xff;
    return insert(bytes, place, piece);
  },
  // It goes on as another input does, or has all of that within.
  ({ bytes, place, much, other, seeds }) => {
    const second = seeds[much % seeds.length] as Buffer;
    return Buffer.concat([bytes.subarray(0, place), second.subarray(other % (second.length + 1))]);
  },
  ({ bytes, place, much, seeds }) => insert(bytes, place, seeds[much % seeds.length] as Buffer),
];
