import fc from "fast-check";

/** Builds what an SSH peer sends before anything is encrypted (RFC 4253, section 6). */

export function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number >>> 0);
  return bytes;
}

export function sshString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function message(type: number, ...parts: (Buffer | string)[]): Buffer {
  return Buffer.concat([
    Buffer.from([type]),
    ...parts.map((part) => typeof part === "string" ? sshString(part) : part),
  ]);
}

/** A packet; `lie` gives it another length or another padding length than it has. */
export function packet(payload: Buffer, lie: { length?: number; padding?: number } = {}): Buffer {
  let padding = 8 - ((5 + payload.length) % 8);
  if (padding < 4) padding += 8;
  const head = Buffer.concat([
    uint32(lie.length ?? 1 + payload.length + padding),
    Buffer.from([lie.padding ?? padding]),
  ]);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

export const KEXINIT = 20;
export const NEWKEYS = 21;
export const KEX_ECDH_INIT = 30;

export function kexInit(
  lists: Partial<Record<"kex" | "hostKey" | "cipher" | "mac" | "compress", string>> = {},
): Buffer {
  const { kex = "curve25519-sha256", hostKey = "ssh-ed25519", cipher = "aes128-gcm@openssh.com" } = lists;
  const { mac = "hmac-sha2-256", compress = "none" } = lists;
  const names = [kex, hostKey, cipher, cipher, mac, mac, compress, compress, "", ""];
  return message(KEXINIT, Buffer.alloc(16, 1), ...names.map(sshString), Buffer.from([0]), uint32(0));
}

const ANY_LENGTH = [0, 1, 7, 8, 12, 34_999, 35_000, 35_004, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];

const numbers = fc.constantFrom(0, 1, 2, 255, 32_768, 2 ** 31, 2 ** 32 - 1).map(uint32);
const text = fc.oneof(
  fc.constantFrom("", "none", "ssh-userauth", "ssh-connection", "password", "publickey", "hostbased", "localhost"),
  fc.constantFrom(
    "session",
    "direct-tcpip",
    "forwarded-tcpip",
    "tcpip-forward",
    "cancel-tcpip-forward",
    "127.0.0.1",
    "x",
  ),
  fc.constantFrom("keepalive@openssh.com", "no-more-sessions@openssh.com", "ssh-ed25519", "rsa-sha2-256", "ssh-rsa"),
  fc.constantFrom("direct-streamlocal@openssh.com", "exec", "pty-req", "auth-agent-req@openssh.com", "1001", "join"),
  fc.string({ maxLength: 12 }),
).map(sshString);
const flag = fc.constantFrom(0, 1, 255).map((byte) => Buffer.from([byte]));
const lyingString = fc.tuple(fc.constantFrom(...ANY_LENGTH), fc.uint8Array({ maxLength: 20 }))
  .map(([length, bytes]) => Buffer.concat([uint32(length), bytes]));

/** Messages by the number and order of parts that SSH's messages have, with any of them wrong. */
export const anyMessage: fc.Arbitrary<Buffer> = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      1,
      2,
      4,
      5,
      6,
      7,
      20,
      21,
      30,
      31,
      50,
      51,
      52,
      60,
      80,
      81,
      82,
      90,
      91,
      92,
      93,
      94,
      95,
      96,
      97,
      98,
      99,
      100,
    ),
    fc.nat(255),
  ),
  fc.array(fc.oneof({ weight: 4, arbitrary: text }, { weight: 4, arbitrary: numbers }, flag, lyingString), {
    maxLength: 7,
  }),
).map(([type, parts]) => Buffer.concat([Buffer.from([type]), ...parts]));

/** Packets whose lengths may be lies. */
export const anyPacket: fc.Arbitrary<Buffer> = fc.tuple(
  fc.oneof(anyMessage, fc.constantFrom(kexInit(), message(NEWKEYS), message(KEX_ECDH_INIT, Buffer.alloc(32, 9)))),
  fc.option(fc.constantFrom(...ANY_LENGTH), { freq: 8, nil: undefined }),
  fc.option(fc.nat(255), { freq: 8, nil: undefined }),
).map(([payload, length, padding]) =>
  packet(payload, { ...(length === undefined ? {} : { length }), ...(padding === undefined ? {} : { padding }) })
);

/** Several messages as one input: each behind its length, so that mutations may damage that as well. */
export function packed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 0xff]), message]),
  );
}

/** The messages of such an input; a length that goes beyond the end means up to the end. */
export function unpacked(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length && messages.length < 64;) {
    const length = bytes.readUInt16BE(at);
    messages.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return messages;
}
