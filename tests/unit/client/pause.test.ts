import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Pause, readPause, removePause, writePause } from "../../../src/client/pause.ts";
import { temporaryFolder } from "../../world/world.ts";

const AT = new Date("2026-11-27T10:00:00.000Z");

function folderWith(t: test.TestContext, ...tenants: string[]): string {
  const folder = temporaryFolder(t);
  for (const name of tenants) mkdirSync(join(folder, "tenants", name), { recursive: true });
  return folder;
}

test("pause: it is kept for the next one that looks", (t) => {
  const folder = folderWith(t, "shop", "books");
  const pause = new Pause(folder);
  pause.pause("shop", AT);
  assert.deepEqual([pause.all, pause.tenants, pause.of("books")], [undefined, ["shop"], undefined]);
  pause.pause(undefined, AT);
  const next = new Pause(folder);
  assert.deepEqual([next.all, next.of("shop"), next.tenants], [AT.toISOString(), AT.toISOString(), ["shop"]]);
  next.resume(undefined);
  assert.deepEqual([new Pause(folder).all, new Pause(folder).tenants], [undefined, ["shop"]]);
  next.resume("shop");
  assert.deepEqual(new Pause(folder).tenants, []);
});

test("pause: pausing again changes nothing of since when it is", (t) => {
  const pause = new Pause(folderWith(t));
  pause.pause(undefined, AT);
  pause.pause(undefined, new Date());
  assert.equal(pause.all, AT.toISOString());
});

test("pause: a file that cannot be read pauses all the same", (t) => {
  const folder = folderWith(t, "shop");
  for (const content of ["", "{", '{"since":"yesterday"}', "null"]) {
    writeFileSync(join(folder, "paused"), content);
    assert.match(new Pause(folder).all ?? "", /^\d{4}-.*Z$/, content);
  }
  mkdirSync(join(folder, "tenants", "shop", "paused"));
  assert.notEqual(readPause(folder, "shop"), undefined);
});

test("pause: what cannot be written down is in force, and told", (t) => {
  const folder = folderWith(t);
  const pause = new Pause(folder);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "");
  assert.throws(() => pause.pause(undefined), { code: "state-unwritable" });
  assert.notEqual(pause.all, undefined);
});

test("pause: a refresh adds what was paused beside it, resumes nothing, and forgets tenants that are gone", (t) => {
  const folder = folderWith(t, "shop", "books");
  const pause = new Pause(folder);
  pause.pause("shop", AT);
  writePause(folder, "books", AT.toISOString());
  removePause(folder, "shop");
  pause.refresh();
  assert.deepEqual(pause.tenants, ["books", "shop"]);
  rmSync(join(folder, "tenants", "books"), { recursive: true });
  pause.refresh();
  assert.deepEqual(pause.tenants, ["shop"]);
});
