import assert from "node:assert/strict";
import test from "node:test";
import { faultTable } from "../../../scripts/fault_table.ts";

test("the figures of a fault stand below it, their values below each other", () => {
  const lines = [
    { fault: "black hole, 12 s", what: "found dead after", value: 9.4217, unit: "s" },
    { fault: "black hole, 12 s", what: "answered again in", value: null, unit: "s" },
    { fault: "clock ±1 h", what: "tunnels lost", value: 0, unit: "" },
  ].map((figure) => JSON.stringify(figure));
  assert.equal(
    faultTable(lines),
    [
      "black hole, 12 s",
      "  found dead after   9.42 s",
      "  answered again in     – s",
      "clock ±1 h",
      "  tunnels lost          0",
    ].join("\n"),
  );
  assert.equal(faultTable([]), "No figures were taken");
});
