import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import test from "node:test";
import { verifySignature } from "../../../src/tunnel/keys.ts";

const SIGNED = Buffer.from("session id and the request to log in");

/** RFC 4251, section 5: a length and the bytes. */
function sshString(bytes: Buffer | string): Buffer {
  const data = Buffer.from(bytes as string, "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** The parameters of a public key. */
function numbers(key: KeyObject): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(key.export({ format: "jwk" })).map(([name, text]) => [name, Buffer.from(`${text}`, "base64url")]),
  );
}

/** RFC 4251, section 5: a positive number. */
function sshNumber(bytes: Buffer): Buffer {
  return sshString((bytes[0] as number) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

interface Key {
  algorithm: string;
  /** The public key in SSH's format. */
  blob: Buffer;
  hash: string | undefined;
  sign(data: Buffer): Buffer;
}

function ed25519(): Key {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const blob = Buffer.concat([sshString("ssh-ed25519"), sshString(numbers(publicKey)["x"] as Buffer)]);
  return { algorithm: "ssh-ed25519", blob, hash: undefined, sign: (data) => sign(null, data, privateKey) };
}

function ecdsa(): Key {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = numbers(publicKey) as { x: Buffer; y: Buffer };
  const algorithm = "ecdsa-sha2-nistp256";
  const point = Buffer.concat([Buffer.from([4]), x, y]);
  const blob = Buffer.concat([sshString(algorithm), sshString("nistp256"), sshString(point)]);
  return { algorithm, blob, hash: undefined, sign: (data) => sign("sha256", data, privateKey) };
}

function rsa(hash: string | undefined): Key {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { e, n } = numbers(publicKey) as { e: Buffer; n: Buffer };
  const blob = Buffer.concat([sshString("ssh-rsa"), sshNumber(e), sshNumber(n)]);
  return { algorithm: "ssh-rsa", blob, hash, sign: (data) => sign(hash ?? "sha1", data, privateKey) };
}

/** Two keys of each kind, made once: RSA keys take a moment. */
const kinds: Record<string, [key: Key, other: Key]> = {
  "ed25519": [ed25519(), ed25519()],
  "ECDSA": [ecdsa(), ecdsa()],
  "RSA with SHA-256": [rsa("sha256"), rsa("sha256")],
  "RSA with SHA-512": [rsa("sha512"), rsa("sha512")],
};

const verify = (key: Key, changed: { blob?: Buffer; signed?: Buffer; signature?: Buffer } = {}) =>
  verifySignature(
    key.algorithm,
    changed.blob ?? key.blob,
    changed.signed ?? SIGNED,
    changed.signature ?? key.sign(SIGNED),
    key.hash,
  );

for (const [name, [key, other]] of Object.entries(kinds)) {
  test(`signatures: one by the right ${name} key over the right data proves it`, () => {
    assert.equal(verify(key), true);
  });

  test(`signatures: one by another ${name} key proves nothing`, () => {
    assert.equal(verify(key, { signature: other.sign(SIGNED) }), false);
  });

  test(`signatures: one by an ${name} key over other data proves nothing`, () => {
    const changed = Buffer.from(SIGNED);
    changed[0] = (changed[0] as number) ^ 1;
    assert.equal(verify(key, { signed: changed }), false);
    assert.equal(verify(key, { signed: Buffer.alloc(0) }), false);
  });

  test(`signatures: garbage in the place of one by an ${name} key proves nothing`, () => {
    const signature = key.sign(SIGNED);
    const flipped = Buffer.from(signature);
    flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
    const garbage = [flipped, signature.subarray(1), signature.subarray(0, -1), Buffer.alloc(64), Buffer.alloc(0)];
    for (const bytes of garbage) assert.equal(verify(key, { signature: bytes }), false);
  });

  test(`signatures: garbage in the place of an ${name} key proves nothing`, () => {
    const garbage = [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.alloc(100),
      Buffer.from("garbage"),
      key.blob.subarray(0, -1),
      key.blob.subarray(4),
      Buffer.concat([sshString("ssh-unknown"), sshString("x")]),
    ];
    for (const blob of garbage) assert.equal(verify(key, { blob }), false, blob.toString("hex"));
  });
}

test("signatures: RSA with SHA-1 proves nothing, however good it is", () => {
  assert.equal(verify(rsa(undefined)), false);
});

test("signatures: RSA with SHA-1 proves nothing under the name of another algorithm either", () => {
  // The name of the algorithm and the key are two fields of one message, and the peer fills in both.
  const { blob, hash, sign } = rsa(undefined);
  for (const name of ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512", "", "x"]) {
    assert.equal(verifySignature(name, blob, SIGNED, sign(SIGNED), hash), false, name);
  }
});

test("signatures: a good one proves nothing under the name of another kind of key", () => {
  const key = ed25519();
  for (const name of ["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-dss", ""]) {
    assert.equal(verifySignature(name, key.blob, SIGNED, key.sign(SIGNED), undefined), false, name);
  }
});

test("signatures: a hash other than the one that signed proves nothing", () => {
  const key = rsa("sha256");
  assert.equal(verifySignature("ssh-rsa", key.blob, SIGNED, key.sign(SIGNED), "sha512"), false);
});

test("signatures: DSA is not accepted", () => {
  assert.equal(verifySignature("ssh-dss", ed25519().blob, SIGNED, Buffer.alloc(40), undefined), false);
});
