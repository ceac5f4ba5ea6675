import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import test from "node:test";
import { accountOf, ownAccount } from "../../../src/platform/account.ts";

const skip = process.platform === "win32" && "needs users with numbers";

test("account: this process's user is the system's word, whatever the environment says", { skip }, (t) => {
  const before = { ...process.env };
  t.after(() => {
    for (const name of ["USER", "HOME"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
  Object.assign(process.env, { USER: "somebody-else", HOME: "/nowhere" });
  const { name, uid, home } = ownAccount();
  assert.equal(uid, process.getuid?.());
  assert.equal(name, execFileSync("id", ["-un"], { encoding: "utf8" }).trim());
  assert.notEqual(home, "/nowhere");
});

test("account: one that is named is found by its name alone, and what is no name is nobody's", { skip }, () => {
  assert.deepEqual([accountOf("root")?.uid, accountOf("root")?.name], [0, "root"]);
  for (const name of ["0", "nobody-of-that-name", "", "root:x", "../root", "-s"]) {
    assert.equal(accountOf(name), undefined, name);
  }
});
