import assert from "node:assert/strict";
import test from "node:test";
import { FairTurns, PER_TURN } from "../../../src/server/fair_turns.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("fair turns: of one registration only so many requests begin in a turn, and the others follow in order", async () => {
  const turns = new FairTurns(assert.fail as (error: unknown) => void);
  const begun: number[] = [];
  for (let i = 0; i < 3 * PER_TURN; i++) turns.enter("1001", () => begun.push(i));
  assert.equal(begun.length, PER_TURN);
  for (let times = 2; times <= 3; times++) {
    await turn();
    assert.equal(begun.length, times * PER_TURN);
  }
  assert.deepEqual(begun, begun.toSorted((a, b) => a - b));
});

test("fair turns: a flood on one registration does not keep another's request waiting", async () => {
  const turns = new FairTurns(assert.fail as (error: unknown) => void);
  let flood = 0;
  for (let i = 0; i < 10 * PER_TURN; i++) turns.enter("1001", () => flood++);
  const other: string[] = [];
  turns.enter("1002", () => other.push("at once"));
  assert.deepEqual([flood, other], [PER_TURN, ["at once"]]);
  for (let i = 0; i < 9; i++) await turn();
  assert.equal(flood, 10 * PER_TURN);
});

test("fair turns: what comes while others wait goes behind them", async () => {
  const turns = new FairTurns(assert.fail as (error: unknown) => void);
  const begun: string[] = [];
  for (let i = 0; i < PER_TURN + 1; i++) turns.enter("1001", () => begun.push(`first ${i}`));
  await turn();
  for (let i = 0; i < PER_TURN; i++) turns.enter("1001", () => begun.push(`second ${i}`));
  await turn();
  assert.equal(begun.length, 2 * PER_TURN + 1);
  assert.equal(begun.indexOf("second 0"), PER_TURN + 1);
});
