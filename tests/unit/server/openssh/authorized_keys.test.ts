import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { AuthorizedKeys } from "../../../../src/server/openssh/authorized_keys.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdBt9E8f4j7Waq6CfVG/2Z1nI9j+WNPMb7CWegWfAuP";
const LINE = `restrict ${KEY} petit:1001`;
const wanted = new Map([[KEY, LINE]]);

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "petit-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("authorized keys: file and folder are made for their owner's eyes only", (t) => {
  const folder = folderOf(t);
  const keys = new AuthorizedKeys(join(folder, ".ssh", "authorized_keys"), userInfo());
  keys.repair(wanted);
  assert.equal(readFileSync(keys.file, "latin1"), `${LINE}\n`);
  assert.deepEqual([keys.file, join(folder, ".ssh")].map((path) => statSync(path).mode & 0o777), [0o600, 0o700]);
});

test("authorized keys: the mode stays, a link stays a link, and nothing else is left in the folder", (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, "elsewhere"));
  const target = join(folder, "elsewhere", "keys");
  writeFileSync(target, "foreign\n");
  chmodSync(target, 0o640);
  const link = join(folder, "authorized_keys");
  symlinkSync(target, link);
  new AuthorizedKeys(link, userInfo()).repair(wanted);
  assert.equal(readFileSync(target, "latin1"), `foreign\n${LINE}\n`);
  assert.equal(statSync(target).mode & 0o777, 0o640);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.deepEqual(readdirSync(join(folder, "elsewhere")), ["keys"]);
});

test("authorized keys: bytes that are no text, and a line of a mebibyte, come out as they went in", (t) => {
  const file = join(folderOf(t), "authorized_keys");
  const foreign = Buffer.concat([
    Buffer.from([0, 255, 195, 40, 13, 10]),
    Buffer.alloc(1024 ** 2, "k"),
    Buffer.from("\n\n#x"),
  ]);
  writeFileSync(file, foreign);
  const keys = new AuthorizedKeys(file, userInfo());
  keys.repair(wanted);
  assert.ok(readFileSync(file).equals(Buffer.concat([foreign, Buffer.from(`\n${LINE}\n`)])));
  keys.repair(new Map());
  assert.ok(readFileSync(file).equals(Buffer.concat([foreign, Buffer.from("\n")])));
});

test("authorized keys: what is right is not written again, and what cannot be written is an error that names it", (t) => {
  const folder = folderOf(t);
  const keys = new AuthorizedKeys(join(folder, "authorized_keys"), userInfo());
  keys.repair(wanted);
  const { stamp } = keys;
  assert.equal(keys.repair(wanted).written, 0);
  assert.equal(keys.stamp, stamp);
  const broken = new AuthorizedKeys(join(keys.file, "authorized_keys"), userInfo());
  assert.throws(() => broken.repair(wanted), { code: "authorized-keys-unusable" });
});
