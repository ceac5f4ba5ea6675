import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import fc from "fast-check";
import { isOwnLine, keyLine, keyOfLine } from "../../../../src/server/openssh/key_line.ts";
import { repairLines } from "../../../../src/server/openssh/repair_lines.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdBt9E8f4j7Waq6CfVG/2Z1nI9j+WNPMb7CWegWfAuP";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmbHmz+sRUeQCZhrBNorsbut4+VWFoNT7FUOuv5NN+q";
const line = (key: string, id: string, port: number) => keyLine({ key, registrations: [{ id, port }] }, false, 3014);
const wanted = new Map([[KEY, line(KEY, "1001", 11081)]]);

test("key line: nothing but the key's own ports and the backchannel, and no command", () => {
  assert.equal(
    keyLine({ key: KEY, registrations: [{ id: "1001", port: 11081 }, { id: "1002", port: 11082 }] }, true, 3014),
    `restrict,port-forwarding,command="echo 'petit: this key is for tunnels only' >&2; exit 1",permitlisten="11081",` +
      `permitlisten="11082",permitopen="localhost:3014" ${KEY} petit:1001,1002`,
  );
  const narrow = line(KEY, "1001", 11081);
  assert.ok(
    narrow.includes('permitlisten="127.0.0.1:11081",permitlisten="localhost:11081",permitlisten="[::1]:11081",'),
  );
  assert.ok(!narrow.includes("0.0.0.0"));
  const legacy = keyLine({ key: KEY, registrations: [{ id: "1", port: 2, legacy: true }] }, false, 3014);
  assert.ok(legacy.includes('permitlisten="0.0.0.0:2"'));
});

test("key line: the key is found behind options with quotes, and not where there is none", () => {
  assert.equal(keyOfLine(line(KEY, "1", 2)), KEY);
  assert.equal(keyOfLine(`command="say \\"hi there\\"",no-pty ${KEY} me`), KEY);
  assert.equal(keyOfLine(`${KEY}\r`), KEY);
  for (const none of ["", "# comment", "ssh-ed25519", 'command="never ends ssh-ed25519 AAAA', "x y z"]) {
    assert.equal(keyOfLine(none), undefined, none);
  }
});

test("own lines are those with petit's comment, and no comment lines", () => {
  assert.ok(isOwnLine(line(KEY, "1001", 11081)));
  assert.ok(isOwnLine(`${KEY} petit:1001,1002\r`));
  assert.ok(isOwnLine(`${KEY}\tpetit:1001 \t\r`));
  assert.ok(isOwnLine(`${KEY} petit:${Array.from({ length: 20_000 }, (_, at) => 1001 + at).join(",")}`));
  for (const not of [`# ${KEY} petit:1001`, `${KEY} petit:1001 me`, `${KEY} petit:`, `${KEY} xpetit:1001`, KEY]) {
    assert.ok(!isOwnLine(not), not);
  }
});

test("lines are added last, put right in their place, and taken away", () => {
  const added = repairLines("# mine", wanted);
  assert.equal(added.text, `# mine\n${wanted.get(KEY)}\n`);
  assert.deepEqual([added.written, added.removed], [1, 0]);
  const tampered = `a\n${KEY} petit:1001\nb\r\n`;
  assert.equal(repairLines(tampered, wanted).text, `a\n${wanted.get(KEY)}\nb\r\n`);
  assert.equal(
    repairLines(`a\n${line(OTHER, "1002", 11082)}\n${wanted.get(KEY)}\n`, wanted).text,
    `a\n${wanted.get(KEY)}\n`,
  );
  assert.equal(repairLines(`${wanted.get(KEY)}\n${wanted.get(KEY)}\n`, wanted).text, `${wanted.get(KEY)}\n`);
  assert.equal(repairLines(`${wanted.get(KEY)}\nlast`, new Map()).text, "last");
  assert.equal(repairLines(`${wanted.get(KEY)}\n`, new Map()).text, "");
});

test("a foreign line with a registered key stays, and is told of", () => {
  const text = `# x\n${KEY} its owner\n${wanted.get(KEY)}\n`;
  const repaired = repairLines(text, wanted);
  assert.equal(repaired.text, text);
  assert.deepEqual([...repaired.foreign], [[KEY, 2]]);
});

test("whatever stands there, foreign lines are kept to the byte, and a second repair changes nothing", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.constantFrom(
      KEY,
      `${KEY} me`,
      `${OTHER} petit:7`,
      `# petit:1001`,
      "\r",
      "",
      "x".repeat(70_000),
      line(OTHER, "9", 99),
    ),
    fc.constant(wanted.get(KEY) as string),
  );
  const text = fc.tuple(fc.array(piece, { maxLength: 12 }), fc.boolean())
    .map(([pieces, open]) => pieces.join("\n") + (open ? "" : "\n"));
  fc.assert(
    fc.property(text, fc.boolean(), (before, some) => {
      const target = some ? wanted : new Map<string, string>();
      const { text: after } = repairLines(before, target);
      // What follows the last end of a line is no line of its own.
      const lines = (all: string) => (all.endsWith("\n") ? all.slice(0, -1) : all).split("\n");
      const foreign = (all: string) => all === "" ? [] : lines(all).filter((one) => !isOwnLine(one));
      assert.deepEqual(foreign(after), foreign(before));
      assert.deepEqual(after.split("\n").filter(isOwnLine), [...target.values()]);
      assert.equal(repairLines(after, target).text, after);
    }),
    { numRuns: 300 },
  );
});
