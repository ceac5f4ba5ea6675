import assert from "node:assert/strict";
import test from "node:test";
import type { Registration } from "../../../../src/registry/registry.ts";
import { ReleaseTurns } from "../../../../src/server/openssh/release_turns.ts";

const of = (id: string, fingerprint = "SHA256:a") => [{ id, port: 10_080 + Number(id), fingerprint } as Registration];

test("releases of a key begin one after the other with a pause between them; those of another key do not wait", async () => {
  const turns = new ReleaseTurns(200);
  const began: [string, number][] = [];
  const start = performance.now();
  const take = (id: string, key?: string) =>
    turns.take(of(id, key), () => Promise.resolve(void began.push([id, performance.now() - start])));
  await Promise.all([take("1"), take("2"), take("3"), take("4", "SHA256:b")]);
  assert.deepEqual(began.map(([id]) => id), ["1", "4", "2", "3"]);
  const at = (id: string) => began.find(([one]) => one === id)?.[1] as number;
  assert.ok(at("2") - at("1") >= 190 && at("3") - at("2") >= 190, JSON.stringify(began));
});

test("a registration is released once at a time, and what a release throws is its caller's", async () => {
  const turns = new ReleaseTurns(1);
  const { promise, reject } = Promise.withResolvers<void>();
  const first = turns.take(of("1"), () => promise);
  await assert.rejects(turns.take(of("1"), () => Promise.resolve()), {
    code: "port-held",
    message: "Port 10081 is being freed already",
  });
  reject(new Error("no"));
  await assert.rejects(first, { message: "no" });
  await turns.take(of("1"), () => Promise.resolve());
});

test("a key has so many releases wait and no more", async () => {
  const turns = new ReleaseTurns(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = [turns.take(of("1"), () => promise)];
  for (let id = 2; id <= 8; id++) all.push(turns.take(of(`${id}`), () => Promise.resolve()));
  await assert.rejects(turns.take(of("9"), () => Promise.resolve()), { code: "port-held", message: /too often/ });
  await turns.take(of("9", "SHA256:b"), () => Promise.resolve());
  resolve();
  await Promise.all(all);
});
