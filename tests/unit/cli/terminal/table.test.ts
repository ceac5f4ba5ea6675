import assert from "node:assert/strict";
import test from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type Column, table } from "../../../../src/cli/terminal/table.ts";
import { printable, textWidth, truncated } from "../../../../src/text_width.ts";

interface Row {
  id: number;
  name: string;
  host?: string;
}
const columns: Column<Row>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "NAME", value: ({ name }) => name, atLeast: 6 },
  { title: "HOST", value: ({ host }) => host, atLeast: 4 },
];
const shown = (rows: Row[], width?: number) => stripVTControlCharacters(table(columns, rows, width)).split("\n");

test("table: columns stand below each other, numbers to the right, and lines have no blanks at their end", () => {
  assert.deepEqual(shown([{ id: 7, name: "a", host: "db.example.com" }, { id: 1001, name: "longer", host: "x" }]), [
    "  ID  NAME    HOST",
    "   7  a       db.example.com",
    "1001  longer  x",
    "",
  ]);
});

test("table: what is not there is a dash, and no rows are a head", () => {
  assert.deepEqual(shown([{ id: 1, name: "" }]), ["ID  NAME  HOST", " 1  -     -", ""]);
  assert.deepEqual(shown([]), ["ID  NAME  HOST", ""]);
});

test("table: a narrow terminal takes the ends of the widest columns that may lose them", () => {
  const rows = [{ id: 1001, name: "a-long-name-of-a-client", host: "db.example.com" }];
  assert.deepEqual(shown(rows, 30), ["  ID  NAME         HOST", "1001  a-long-nam…  db.example…", ""]);
  for (const line of shown(rows, 30)) assert.ok(textWidth(line) <= 30);
  // Below what the columns need, they keep that.
  assert.deepEqual(shown(rows, 5), ["  ID  NAME    HOST", "1001  a-lon…  db.…", ""]);
});

test("table: where no terminal tells its width nothing is cut off", () => {
  const name = "n".repeat(500);
  assert.ok(shown([{ id: 1, name }], Infinity)[1]?.includes(name));
});

test("table: wide characters take two columns and combining ones none", () => {
  assert.deepEqual(shown([{ id: 1, name: "日本語", host: "x" }, { id: 2, name: "e\u0301te\u0301", host: "y" }]), [
    "ID  NAME    HOST",
    " 1  日本語  x",
    " 2  e\u0301te\u0301     y",
    "",
  ]);
});

test("text width: that of a terminal, for several scripts and for emoji", () => {
  const cases: [text: string, width: number][] = [
    ["abc", 3],
    ["", 0],
    ["Zürich", 6],
    ["日本語", 6],
    ["한국", 4],
    ["ｱｲｳ", 3],
    ["Ａ", 2],
    ["👍", 2],
    ["👨‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["a\u200bb", 2],
    ["Привет", 6],
    ["שלום", 4],
  ];
  for (const [text, width] of cases) assert.equal(textWidth(text), width, text);
});

test("text width: a text is cut where its columns end, never within a character", () => {
  assert.equal(truncated("abcdef", 6), "abcdef");
  assert.equal(truncated("abcdef", 5), "abcd…");
  assert.equal(truncated("日本語", 5), "日本…");
  assert.equal(truncated("日本語", 4), "日…");
  assert.equal(truncated("👨‍👩‍👧👨‍👩‍👧", 3), "👨‍👩‍👧…");
  assert.equal(truncated("abc", 0), "");
});

test("printable: what a client tells of itself cannot act on the operator's terminal", () => {
  assert.equal(printable("\x1b]0;title\x07\x1b[31mred\x1b[0m"), "red");
  assert.equal(printable("a\r\nb\tc\x00d\x9be"), "a b c d e");
  assert.equal(printable("abc\u202edef\u2066"), "abc def ");
  const [, row] = shown([{ id: 1, name: "x\n9999  evil", host: "\x1b[2J" }]);
  assert.equal(row, " 1  x 9999  evil  -");
});

test("table: a thousand rows are made at once", () => {
  const rows = Array.from({ length: 1000 }, (_, id) => ({ id, name: `client ${id}`, host: "db.example.com" }));
  assert.equal(shown(rows, 40).length, 1002);
});
