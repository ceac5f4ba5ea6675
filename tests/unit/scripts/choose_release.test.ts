import assert from "node:assert/strict";
import test from "node:test";
import { previousRelease } from "../../../scripts/choose_release.ts";

/** The release that is chosen among these, in whatever order, where HEAD is none of them. */
function chosen(names: readonly string[], head = "head"): string | undefined {
  const tags = names.map((name) => ({ name, commit: `commit of ${name}` }));
  const found = [tags, tags.toReversed()].map((all) => previousRelease(all, head)?.name);
  assert.equal(found[0], found[1]);
  return found[0];
}

test("previous release: the newest version, and not the newest word", () => {
  assert.equal(chosen(["v1.9.0", "v1.10.0", "v1.2.30"]), "v1.10.0");
  assert.equal(chosen(["v2.0.0", "v10.0.0"]), "v10.0.0");
});

test("previous release: a version comes after its pre-releases, in the order of Semantic Versioning", () => {
  const order = [
    ...["v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta", "v1.0.0-beta.2", "v1.0.0-beta.11"],
    ...["v1.0.0-rc.1", "v1.0.0", "v1.0.1-rc.1"],
  ];
  for (let count = 1; count <= order.length; count++) {
    assert.equal(chosen(order.slice(0, count)), order[count - 1]);
  }
});

test("previous release: the commit that is tested is not its own predecessor", () => {
  assert.equal(chosen(["v1.0.0", "v1.1.0"], "commit of v1.1.0"), "v1.0.0");
  assert.equal(chosen(["v1.1.0"], "commit of v1.1.0"), undefined);
});

test("previous release: other tags are none", () => {
  assert.equal(chosen(["vNext", "1.0.0", "v1.0", "v1.0.0+build", "release", "v1"]), undefined);
  assert.equal(chosen(["v0.1.0", "v9"]), "v0.1.0");
  assert.equal(chosen([]), undefined);
});
