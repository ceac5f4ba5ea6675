import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { KnownHost } from "../../../src/client/known_host.ts";
import { generateKey, type PublicKey } from "../../../src/tunnel/keys.ts";
import { temporaryFolder } from "../../world/world.ts";

const KEY = generateKey("one").publicKey;
const OTHER = generateKey("two").publicKey;
const WINDOWS = process.platform === "win32" && "Windows has no file modes";

test("known host: the key that was pinned is accepted, by another instance too", (t) => {
  const folder = temporaryFolder(t);
  const known = new KnownHost(folder);
  assert.equal(known.pinned, false);
  known.pin("petit.example.com", 2222, KEY);
  assert.equal(known.pinned, true);
  known.check("petit.example.com", 2222, KEY);
  new KnownHost(folder).check("petit.example.com", 2222, KEY);
});

test("known host: the file is one that ssh reads", (t) => {
  const folder = temporaryFolder(t);
  const known = new KnownHost(folder);
  const content = () => readFileSync(join(folder, "known_hosts"), "utf8");
  known.pin("petit.example.com", 2222, KEY);
  assert.equal(content(), `[petit.example.com]:2222 ${KEY.line}\n`);
  known.pin("petit.example.com", 22, KEY);
  assert.equal(content(), `petit.example.com ${KEY.line}\n`);
});

test("known host: the file is its owner's only", { skip: WINDOWS }, (t) => {
  const folder = temporaryFolder(t);
  new KnownHost(folder).pin("a", 22, KEY);
  assert.equal(statSync(join(folder, "known_hosts")).mode & 0o777, 0o600);
});

test("known host: another key of the same server is refused, and both are left as they are", (t) => {
  const folder = temporaryFolder(t);
  const known = new KnownHost(folder);
  known.pin("petit.example.com", 2222, KEY);
  assert.throws(
    () => known.check("petit.example.com", 2222, OTHER),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "host-key-mismatch");
      assert.ok(error.message.includes("petit.example.com:2222") && error.message.includes(OTHER.fingerprint));
      assert.match(error.hint, /impersonating/);
      return true;
    },
  );
  known.check("petit.example.com", 2222, KEY);
});

test("known host: without a pinned key no key is accepted", (t) => {
  const known = new KnownHost(temporaryFolder(t));
  assert.throws(() => known.check("petit.example.com", 2222, KEY), {
    name: "PetitError",
    code: "host-key-unknown",
    hint: /join code/,
  });
});

test("known host: a key that is pinned for one server says nothing of another", (t) => {
  const known = new KnownHost(temporaryFolder(t));
  known.pin("petit.example.com", 2222, KEY);
  for (const [host, port] of [["other.example.com", 2222], ["petit.example.com", 22], ["example.com", 2222]] as const) {
    assert.throws(() => known.check(host, port, KEY), { name: "PetitError", code: "host-key-unknown" });
  }
});

test("known host: a new join code replaces the key", (t) => {
  const known = new KnownHost(temporaryFolder(t));
  known.pin("a", 22, KEY);
  known.pin("a", 22, OTHER);
  known.check("a", 22, OTHER);
  assert.throws(() => known.check("a", 22, KEY), { name: "PetitError", code: "host-key-mismatch" });
});

test("known host: a file that a person has edited is read as ssh reads it", (t) => {
  const folder = temporaryFolder(t);
  const lines = [
    "# our server",
    "",
    `#a ${OTHER.line}`,
    "a broken-line",
    `a  ${KEY.line} a comment`,
    `b ${OTHER.line}`,
  ];
  writeFileSync(join(folder, "known_hosts"), lines.join("\r\n"));
  const known = new KnownHost(folder);
  known.check("a", 22, KEY);
  known.check("b", 22, OTHER);
  assert.throws(() => known.check("a", 22, OTHER), { name: "PetitError", code: "host-key-mismatch" });
});

/** Pins KEY, and has it vouch for what a test says. */
function followed(folder: string, proven: PublicKey[], offered: PublicKey[], vouching = KEY) {
  const known = new KnownHost(folder);
  const { added, removed } = known.follow("a", 2222, vouching, proven, offered);
  return { known, added: added.map(({ line }) => line), removed };
}

test("known host: a key that is vouched for comes in beside the one that vouches, and all else stays as it is", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "known_hosts");
  const lines = `# the old server\nb ${OTHER.line} somebody\n[a]:2222 ${KEY.line} petit\n`;
  writeFileSync(file, lines);
  const { known, added, removed } = followed(folder, [OTHER], [KEY, OTHER]);
  assert.deepEqual([added, removed], [[OTHER.line], []]);
  assert.equal(readFileSync(file, "utf8"), `${lines}[a]:2222 ${OTHER.line}\n`);
  known.check("a", 2222, KEY);
  known.check("a", 2222, OTHER);
  if (!WINDOWS) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("known host: what a server does not offer any more goes, but for the key that it has just proven", (t) => {
  const folder = temporaryFolder(t);
  new KnownHost(folder).pin("a", 2222, KEY);
  followed(folder, [OTHER], [KEY, OTHER]);
  assert.deepEqual(followed(folder, [], [OTHER], KEY).removed, []);
  const { known, removed } = followed(folder, [], [OTHER], OTHER);
  assert.deepEqual(removed, [KEY.fingerprint]);
  assert.deepEqual(known.of("a", 2222), [OTHER.fingerprint]);
});

test("known host: a key that is not pinned vouches for nothing", (t) => {
  const folder = temporaryFolder(t);
  new KnownHost(folder).pin("a", 2222, KEY);
  const before = readFileSync(join(folder, "known_hosts"), "utf8");
  const { added, removed } = followed(folder, [OTHER], [OTHER], OTHER);
  assert.deepEqual([added, removed], [[], []]);
  assert.equal(readFileSync(join(folder, "known_hosts"), "utf8"), before);
});

test("known host: a file that says what it is to say is not written again", (t) => {
  const folder = temporaryFolder(t);
  new KnownHost(folder).pin("a", 2222, KEY);
  const { ino } = statSync(join(folder, "known_hosts"));
  followed(folder, [KEY], [KEY]);
  assert.equal(statSync(join(folder, "known_hosts")).ino, ino);
});

test("known host: a join code that names a known key leaves those that it has vouched for, another one leaves none", (t) => {
  const folder = temporaryFolder(t);
  const known = new KnownHost(folder);
  known.pin("a", 2222, KEY);
  followed(folder, [OTHER], [KEY, OTHER]);
  known.add("a", 2222, KEY);
  known.pin("a", 2222, KEY);
  assert.deepEqual(known.of("a", 2222).sort(), [KEY.fingerprint, OTHER.fingerprint].sort());
  const third = generateKey("three").publicKey;
  known.add("a", 2222, third);
  known.pin("a", 2222, third);
  assert.deepEqual(known.of("a", 2222), [third.fingerprint]);
});
