import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { generateKey } from "../../../src/tunnel/keys.ts";
import { isSignedBy, signMessage } from "../../../src/tunnel/sshsig.ts";

const blobOf = (line: string) => Buffer.from(line.split(" ")[1] as string, "base64");
const MESSAGE = Buffer.from("a prompt");

test("a signature is good for its key, its purpose and its message alone", () => {
  const [pair, other] = [generateKey("one"), generateKey("other")];
  const blob = blobOf(pair.publicKey.line);
  const signature = signMessage(pair.privatePem, "petit-backchannel", MESSAGE);
  assert.ok(isSignedBy(blob, "petit-backchannel", MESSAGE, signature));
  assert.ok(!isSignedBy(blobOf(other.publicKey.line), "petit-backchannel", MESSAGE, signature));
  assert.ok(!isSignedBy(blob, "file", MESSAGE, signature));
  assert.ok(!isSignedBy(blob, "petit-backchannel", Buffer.from("another prompt"), signature));
});

test("a signature in which any byte is another one is none", () => {
  const { privatePem, publicKey } = generateKey("one");
  const blob = blobOf(publicKey.line);
  const signature = signMessage(privatePem, "petit-backchannel", MESSAGE);
  for (let at = 0; at < signature.length; at++) {
    const changed = Buffer.from(signature);
    changed[at] = (changed[at] as number) ^ 1;
    // The field that is reserved has no bytes here, and its length is checked.
    assert.ok(!isSignedBy(blob, "petit-backchannel", MESSAGE, changed), `byte ${at}`);
  }
  for (let length = 0; length < signature.length; length++) {
    assert.ok(!isSignedBy(blob, "petit-backchannel", MESSAGE, signature.subarray(0, length)));
  }
  assert.ok(!isSignedBy(blob, "petit-backchannel", MESSAGE, Buffer.concat([signature, Buffer.from([0])])));
});
