import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import test from "node:test";
import { type LibraryCipher, type LibraryDecipher, Opener, Sealer } from "../../../src/tunnel/aes_gcm.ts";

// The library's own implementation is the peer here.
const library = createRequire(import.meta.url)("ssh2/lib/protocol/crypto.js") as {
  CIPHER_INFO: Record<string, unknown>;
  createCipher(config: object): LibraryCipher & { allocPacket(length: number): Buffer; encrypt(packet: Buffer): void };
  createDecipher(config: object): LibraryDecipher & { decrypt(bytes: Buffer, at: number, end: number): unknown };
};

/** The library's cipher and decipher with the same key, and what they write and open. */
function pair(name: string, keyLength: number) {
  const written: Buffer[] = [];
  const opened: Buffer[] = [];
  const key = randomBytes(keyLength);
  // The counter is about to carry over into the next byte.
  const iv = Buffer.from("000102030000000000fffffe", "hex");
  const info = library.CIPHER_INFO[name];
  const config = () => ({
    outbound: {
      seqno: 3,
      onWrite: (piece: Buffer) => written.push(Buffer.from(piece)),
      cipherInfo: info,
      cipherIV: Buffer.from(iv),
      cipherKey: key,
    },
    inbound: {
      seqno: 3,
      onPayload: (payload: Buffer) => void opened.push(Buffer.from(payload)),
      decipherInfo: info,
      decipherIV: Buffer.from(iv),
      decipherKey: key,
    },
  });
  return {
    written,
    opened,
    cipher: () => library.createCipher(config()),
    decipher: () => library.createDecipher(config()),
  };
}

const ciphers = [["aes128-gcm@openssh.com", 16], ["aes256-gcm@openssh.com", 32]] as const;
const payloads = [1, 2, 10, 11, 12, 15, 16, 17, 100, 1024, 32_777].map((length) => randomBytes(length).fill(80, 0, 1));

/** Writes a payload into a packet and encrypts it. */
function send(sealer: { allocPacket(length: number): Buffer; encrypt(packet: Buffer): void }, payload: Buffer): void {
  const packet = sealer.allocPacket(payload.length);
  payload.copy(packet, 5);
  sealer.encrypt(packet);
}

for (const [name, keyLength] of ciphers) {
  test(`${name}: the library opens what is sealed here`, () => {
    const { written, opened, cipher, decipher } = pair(name, keyLength);
    const sealer = new Sealer(cipher());
    for (const payload of payloads) send(sealer, payload);
    const bytes = Buffer.concat(written);
    decipher().decrypt(bytes, 0, bytes.length);
    assert.deepEqual(opened, payloads);
    assert.equal(sealer.outSeqno, 3 + payloads.length);
  });

  test(`${name}: what the library seals is opened here, in pieces of any size`, () => {
    const { written, opened, cipher, decipher } = pair(name, keyLength);
    const sealer = cipher();
    for (const payload of payloads) send(sealer, payload);
    const bytes = Buffer.concat(written);
    for (const size of [1, 3, 4, 5, 19, 20, 21, 36, 1000, 65_536, bytes.length]) {
      opened.length = 0;
      const opener = new Opener(decipher(), () => false);
      for (let at = 0; at < bytes.length; at += size) opener.decrypt(bytes, at, Math.min(bytes.length, at + size));
      assert.deepEqual(opened, payloads, `pieces of ${size}`);
      assert.equal(opener.inSeqno, 3 + payloads.length);
    }
  });
}

test("a packet with one bit changed is refused, wherever it is", () => {
  const { written, opened, cipher, decipher } = pair("aes128-gcm@openssh.com", 16);
  send(cipher(), Buffer.from("Psecret"));
  const bytes = Buffer.concat(written);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    const opener = new Opener(decipher(), () => false);
    // A changed length may ask for more bytes than there are; with more bytes it is refused.
    assert.throws(
      () => opener.decrypt(Buffer.concat([changed, Buffer.alloc(35_000)]), 0, changed.length + 35_000),
      `bit ${bit}`,
    );
  }
  assert.deepEqual(opened, []);
});

test("a length that no packet can have is refused before anything is kept", () => {
  const { decipher } = pair("aes128-gcm@openssh.com", 16);
  for (const length of [0, 1, 15, 17, 34_992, 0x7fffffff, 0xffffffff]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    assert.throws(
      () => new Opener(decipher(), () => false).decrypt(bytes, 0, 4),
      /Bad packet length/,
      `${length} whole`,
    );
    const opener = new Opener(decipher(), () => false);
    assert.throws(
      () => {
        for (let at = 0; at < 4; at++) opener.decrypt(bytes, at, at + 1);
      },
      /Bad packet length/,
      `${length} byte by byte`,
    );
  }
});

test("data of a channel goes to whoever takes it, and to the library where nobody does", () => {
  const { written, opened, cipher, decipher } = pair("aes128-gcm@openssh.com", 16);
  const sealer = new Sealer(cipher());
  sealer.sealData(7, Buffer.from("mine"));
  sealer.sealData(8, Buffer.from("not mine"));
  const bytes = Buffer.concat(written);
  const taken: [number, string][] = [];
  new Opener(decipher(), (channel, data) => {
    if (channel !== 7) return false;
    taken.push([channel, data.toString()]);
    return true;
  }).decrypt(bytes, 0, bytes.length);
  assert.deepEqual(taken, [[7, "mine"]]);
  assert.equal(opened.length, 1);
  assert.equal(opened[0]?.subarray(9).toString(), "not mine");
});

test("a data message that says it is longer than it is is left to the library", () => {
  const { written, opened, cipher, decipher } = pair("aes128-gcm@openssh.com", 16);
  const lying = Buffer.from([94, 0, 0, 0, 7, 0, 0, 0, 9, 1]);
  send(new Sealer(cipher()), lying);
  const bytes = Buffer.concat(written);
  new Opener(decipher(), () => assert.fail("nobody may take it")).decrypt(bytes, 0, bytes.length);
  assert.deepEqual(opened, [lying]);
});

test("while the library exchanges keys, every packet goes to it", () => {
  const { written, cipher, decipher } = pair("aes128-gcm@openssh.com", 16);
  const sealer = new Sealer(cipher());
  sealer.sealData(7, Buffer.from("one"));
  sealer.sealData(7, Buffer.from("two"));
  const bytes = Buffer.concat(written);
  const opener = new Opener(decipher(), () => assert.fail("nobody may take it"));
  let seen = 0;
  opener._onPayload = () => ++seen === 1 ? false : undefined;
  const first = opener.decrypt(bytes, 0, bytes.length) as number;
  assert.equal(seen, 1);
  assert.equal(opener.decrypt(bytes, first, bytes.length), undefined);
  assert.equal(seen, 2);
});
