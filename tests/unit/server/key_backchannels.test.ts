import assert from "node:assert/strict";
import test from "node:test";
import { KeyBackchannels, MAX_BACKCHANNELS } from "../../../src/server/key_backchannels.ts";

/** One that was heard of so many milliseconds ago. */
function backchannel(ago: number) {
  const made = { heardAt: performance.now() - ago, gone: false, destroy: () => void (made.gone = true) };
  return made;
}

test("backchannels of a key: one that its client has lost gives way to a newer one, and no other does", () => {
  const known = new KeyBackchannels();
  const lost = backchannel(100_000);
  const quiet = backchannel(30_000);
  const others = Array.from({ length: MAX_BACKCHANNELS - 2 }, () => backchannel(0));
  for (const one of [quiet, ...others, lost, backchannel(0)]) known.add("a", one);
  assert.deepEqual([lost.gone, quiet.gone], [true, false]);
  assert.throws(() => known.add("a", backchannel(0)), { code: "channel-refused" });
  known.delete("a", quiet);
  known.add("a", backchannel(0));
  assert.ok(!others.some(({ gone }) => gone));
});
