import assert from "node:assert/strict";
import test from "node:test";
import { Passwords } from "../../../../src/server/access/passwords.ts";
import { hashOfChosen, hashOfRandom, readHash } from "../../../../src/server/access/secret_hash.ts";

test("hashes: what was written is read and fits its own secret only; anything else fits none", async () => {
  const passwords = new Passwords();
  const chosen = readHash(await hashOfChosen("correct horse"));
  assert.equal(await passwords.check(chosen, "correct horse", true, "a"), "right");
  assert.equal(await passwords.check(chosen, "correct horse ", true, "a"), "wrong");
  const random = readHash(hashOfRandom("correct horse"));
  assert.equal(passwords.check(random, "correct horse", false, "a"), "right");
  assert.equal(passwords.check(random, "", false, "a"), "wrong");
  for (const text of ["", "sha256:", `sha256:${"0".repeat(63)}`, "scrypt:1:1:1::", "plain:correct horse"]) {
    assert.equal(readHash(text), undefined);
    assert.equal(await passwords.check(readHash(text), "correct horse", true, "b"), "wrong", text);
  }
  assert.notEqual(
    await hashOfChosen("correct horse"),
    await hashOfChosen("correct horse"),
    "a salt of its own each time",
  );
});

test("passwords: nobody at all, and somebody whose password is quick to check, take as long as one that is slow", async () => {
  const passwords = new Passwords();
  for (const hash of [undefined, readHash(hashOfRandom("x"))]) {
    assert.ok(passwords.check(hash, "wrong", true, "a") instanceof Promise, "the same work is done");
    assert.equal(passwords.check(hash, "wrong", false, "b"), "wrong");
  }
});

test("passwords: a flood of wrong ones is turned away before it takes the processor, and does not count then", async () => {
  const passwords = new Passwords(undefined, { atOnce: 2, waiting: 3 });
  const verdicts = Array.from({ length: 20 }, (_, at) => passwords.check(undefined, "wrong", true, `10.0.0.${at}`));
  const looked = verdicts.filter((verdict) => verdict instanceof Promise);
  assert.equal(looked.length, 5);
  for (const verdict of verdicts.filter((verdict) => !(verdict instanceof Promise))) {
    assert.deepEqual(verdict, { retryAfter: 1 });
  }
  assert.ok((await Promise.all(looked)).every((verdict) => verdict === "wrong"));
  assert.ok(passwords.check(undefined, "wrong", true, "10.0.0.19") instanceof Promise, "there is room again");
});

test("passwords: what is remembered is remembered for its registration and its very text", () => {
  const passwords = new Passwords();
  passwords.remember("1001", "Basic YTpi", "0123456789ab");
  assert.equal(passwords.recall("1001", "Basic YTpi"), "0123456789ab");
  for (const [registration, shown] of [["1002", "Basic YTpi"], ["1001", "Basic YTpj"], ["100", "1 Basic YTpi"]]) {
    assert.equal(passwords.recall(registration as string, shown as string), undefined);
  }
  for (let at = 0; at < 10_000; at++) passwords.remember("1001", `Basic ${at}`, "0123456789ab");
  assert.equal(passwords.recall("1001", "Basic YTpi"), undefined, "there is an end to it");
});
