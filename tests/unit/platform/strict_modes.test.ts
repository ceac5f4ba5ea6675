import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { readPrivateKey, refuseLooseState } from "../../../src/platform/strict_modes.ts";
import { run } from "../../world/processes.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";

const OPTIONS = { skip: process.platform === "win32" && "Windows has no file modes" };
/** Whether every user can read a file, by all folders above it. */
const isPublic = (path: string): boolean =>
  (statSync(path).mode & 0o005) >= (path === process.execPath ? 0o005 : 0o001) &&
  (dirname(path) === path || isPublic(dirname(path)));
const ROOT = {
  skip: process.getuid?.() !== 0
    ? "Only root can be another user"
    : !(isPublic(process.execPath) && isPublic(import.meta.dirname as string)) &&
      "Other users cannot read this checkout",
};
const NOBODY = 65534;

test("strict modes: a private key that others can read or write is refused, with the way out", OPTIONS, (t) => {
  const file = join(temporaryFolder(t), "key");
  writeFileSync(file, "secret");
  for (const mode of [0o640, 0o620, 0o604, 0o602, 0o644, 0o660, 0o666, 0o777, 0o610, 0o601]) {
    chmodSync(file, mode);
    assert.throws(() => readPrivateKey(file), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "key-exposed");
      assert.ok(error.message.includes(`"${file}" (mode ${mode.toString(8)})`), error.message);
      assert.ok(error.hint.includes(`chmod 600 "${file}"`), error.hint);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    chmodSync(file, mode);
    assert.equal(readPrivateKey(file), "secret");
  }
});

test("strict modes: of a link to a key the key counts", OPTIONS, (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "target"), "secret", { mode: 0o600 });
  symlinkSync(join(folder, "target"), join(folder, "key"));
  assert.equal(readPrivateKey(join(folder, "key")), "secret");
  chmodSync(join(folder, "target"), 0o644);
  assert.throws(() => readPrivateKey(join(folder, "key")), { code: "key-exposed" });
});

test("strict modes: the key of a certificate may be shared with a group, and with nobody else", OPTIONS, (t) => {
  const file = join(temporaryFolder(t), "server.key");
  writeFileSync(file, "secret", { mode: 0o640 });
  assert.equal(readPrivateKey(file, "shared"), "secret");
  for (const mode of [0o660, 0o644, 0o641]) {
    chmodSync(file, mode);
    assert.throws(() => readPrivateKey(file, "shared"), { code: "key-exposed" });
  }
});

/** What another user is told. */
async function asNobody(scope: Scope, call: string): Promise<string> {
  const folder = temporaryFolder(scope);
  chmodSync(folder, 0o755);
  const program = join(folder, "program.mjs");
  const module = new URL("../../../src/platform/strict_modes.ts", import.meta.url).href;
  writeFileSync(
    program,
    `import * as m from ${JSON.stringify(module)};\n` +
      `try { console.log(${call} ?? "fine") } catch (error) { console.log(error.code) }\n`,
  );
  const { stdout, stderr } = await run(process.execPath, [program], {
    user: { uid: NOBODY, gid: NOBODY },
    cwd: folder,
    env: { HOME: folder, DENO_DIR: join(folder, "deno") },
  });
  return stdout.trim() || stderr;
}

test("strict modes: a service may use a key that root gives its group, and none of another user's", ROOT, async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const file = join(folder, "key");
  writeFileSync(file, "secret", { mode: 0o640 });
  chownSync(file, 0, NOBODY);
  const read = () => asNobody(t, `m.readPrivateKey(${JSON.stringify(file)})`);
  assert.equal(await read(), "secret");
  chmodSync(file, 0o644);
  assert.equal(await read(), "key-exposed");
  chownSync(file, 1234, NOBODY);
  chmodSync(file, 0o640);
  assert.equal(await read(), "key-foreign");
  chownSync(file, NOBODY, NOBODY);
  assert.equal(await read(), "key-exposed");
  chmodSync(file, 0o600);
  assert.equal(await read(), "secret");
  // Root looks after other users' keys, as with sudo.
  assert.equal(readPrivateKey(file), "secret");
});

test(
  "strict modes: a folder or config that others can write is refused; one that they can read is not",
  OPTIONS,
  (t) => {
    const folder = join(temporaryFolder(t), "petit");
    mkdirSync(folder);
    const config = join(folder, "config.toml");
    writeFileSync(config, "");
    const check = () => refuseLooseState(folder, [config, join(folder, "absent")]);
    for (const mode of [0o700, 0o755, 0o750]) {
      chmodSync(folder, mode);
      check();
    }
    for (const mode of [0o770, 0o777, 0o702, 0o1777]) {
      chmodSync(folder, mode);
      assert.throws(check, (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "state-exposed");
        assert.ok(error.message.includes(`the folder "${folder}" (mode ${mode.toString(8)})`), error.message);
        assert.ok(error.hint.includes(`chmod 700 "${folder}"`), error.hint);
        return true;
      });
    }
    chmodSync(folder, 0o700);
    chmodSync(config, 0o666);
    assert.throws(check, { code: "state-exposed", message: /config\.toml" \(mode 666\)/ });
  },
);

test("strict modes: a folder above it in which anybody can put another one into its place is refused", OPTIONS, (t) => {
  const above = join(temporaryFolder(t), "above");
  const folder = join(above, "a", "petit");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const check = () => refuseLooseState(folder, []);
  check();
  chmodSync(above, 0o777);
  assert.throws(check, { code: "state-exposed", message: new RegExp(`"${above}" \\(mode 777\\)`) });
  // As /tmp is.
  chmodSync(above, 0o1777);
  check();
});

test("strict modes: a service may be in root's folder, and not in another user's", ROOT, async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const check = () => asNobody(t, `m.refuseLooseState(${JSON.stringify(folder)}, [])`);
  assert.equal(await check(), "fine");
  chownSync(folder, 1234, 1234);
  assert.equal(await check(), "state-foreign");
  chownSync(folder, NOBODY, NOBODY);
  assert.equal(await check(), "fine");
  refuseLooseState(folder, []);
});
