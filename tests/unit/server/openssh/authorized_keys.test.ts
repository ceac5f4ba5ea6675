import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { AccountFolder } from "../../../../src/server/openssh/account_folder.ts";
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

test("authorized keys: nothing is made where there is nothing to write", (t) => {
  const keys = new AuthorizedKeys(join(folderOf(t), ".ssh", "authorized_keys"), userInfo());
  keys.repair(new Map());
  assert.equal(keys.stamp, "");
  assert.equal(lstatSync(join(keys.file, ".."), { throwIfNoEntry: false }), undefined);
});

test("authorized keys: what is no plain file is refused, and a pipe has nobody wait", (t) => {
  const folder = folderOf(t);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(join(folder, "folder"));
  for (const file of [pipe, join(folder, "folder")]) {
    assert.throws(() => new AuthorizedKeys(file, userInfo()).repair(wanted), {
      code: "authorized-keys-unusable",
      message: `Cannot keep "${file}": it is not a plain file`,
    });
  }
});

test("authorized keys: a file that cannot be looked at is an error that says so", (t) => {
  const file = join(folderOf(t), "authorized_keys");
  symlinkSync(file, file);
  const keys = new AuthorizedKeys(file, userInfo());
  assert.throws(() => keys.stamp, { code: "authorized-keys-unusable" });
  assert.throws(() => keys.repair(wanted), { code: "authorized-keys-unusable" });
});

test("authorized keys: what takes the place of the folder while its file is written gets nothing", (t) => {
  const root = folderOf(t);
  const [home, elsewhere] = [join(root, "home"), join(root, "elsewhere")] as const;
  for (const folder of [home, elsewhere]) mkdirSync(folder);
  const folder = new AccountFolder(join(home, "authorized_keys"), userInfo());
  t.after(() => folder.close());
  const { uid, gid } = userInfo();
  const swap = () => {
    renameSync(home, join(root, "moved"));
    symlinkSync(elsewhere, home);
    return true;
  };
  assert.ok(folder.write(LINE, { mode: 0o600, uid, gid }, swap));
  assert.deepEqual(readdirSync(elsewhere), []);
  assert.deepEqual(readdirSync(join(root, "moved")), ["authorized_keys"]);
});

/** Whom root serves here. */
const ACCOUNT = { uid: 65534, gid: 65534 };
const asRoot = { skip: process.getuid?.() === 0 ? false : "not root" };

/** The folder of an account, and one of root's. */
function homesOf(t: TestContext): { home: string; roots: string } {
  const folder = folderOf(t);
  chmodSync(folder, 0o755);
  const [home, roots] = [join(folder, "home"), join(folder, "roots")] as const;
  for (const made of [home, roots]) mkdirSync(made);
  chownSync(home, ACCOUNT.uid, ACCOUNT.gid);
  return { home, roots };
}

test("authorized keys: what root makes for an account is the account's, and what is its own stays so", asRoot, (t) => {
  const { home } = homesOf(t);
  const keys = new AuthorizedKeys(join(home, ".ssh", "authorized_keys"), ACCOUNT);
  for (const lines of [wanted, new Map<string, string>()]) {
    keys.repair(lines);
    for (const path of [keys.file, join(home, ".ssh")]) {
      const { uid, gid } = statSync(path);
      assert.deepEqual({ uid, gid }, ACCOUNT, path);
    }
  }
});

test("authorized keys: root follows no link of an account's to what is not the account's", asRoot, (t) => {
  const { home, roots } = homesOf(t);
  const target = join(roots, "authorized_keys");
  writeFileSync(target, "root's\n");
  const [link, folder] = [join(home, "link"), join(home, ".ssh")] as const;
  symlinkSync(target, link);
  symlinkSync(roots, folder);
  for (const file of [link, join(folder, "authorized_keys"), join(folder, "other"), join(folder, "new", "keys")]) {
    assert.throws(() => new AuthorizedKeys(file, ACCOUNT).repair(wanted), {
      code: "authorized-keys-unusable",
      message: /belongs to the user 0, and not to 65534/,
    }, file);
  }
  assert.equal(readFileSync(target, "latin1"), "root's\n");
  assert.deepEqual(readdirSync(roots), ["authorized_keys"]);
  const foreign = join(home, "authorized_keys");
  writeFileSync(foreign, "root's\n");
  assert.throws(() => new AuthorizedKeys(foreign, ACCOUNT).repair(wanted), { code: "authorized-keys-unusable" });
});

test("authorized keys: root keeps a file for an account where nobody but root can put anything", asRoot, (t) => {
  const folder = mkdtempSync("/etc/petit-test-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const keys = new AuthorizedKeys(join(folder, "keys"), ACCOUNT);
  keys.repair(wanted);
  assert.equal(readFileSync(keys.file, "latin1"), `${LINE}\n`);
});
