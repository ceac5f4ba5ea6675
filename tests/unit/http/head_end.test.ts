import assert from "node:assert/strict";
import test from "node:test";
import { emptyLineAt, headEnd, headText } from "../../../src/http/head.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("head end: it is behind the empty line, whatever follows", () => {
  assert.equal(headEnd(Buffer.from(HEAD)), HEAD.length);
  assert.equal(headEnd(Buffer.from(`${HEAD}body\n\n\r\n\r\n`)), HEAD.length);
});

test("head end: no part of a head has one", () => {
  for (let size = 0; size < HEAD.length; size++) {
    assert.equal(headEnd(Buffer.from(HEAD.slice(0, size))), -1, `after ${size} bytes`);
  }
});

test("head end: it is found wherever an earlier search left off", () => {
  for (let from = 0; from < HEAD.length; from++) {
    assert.equal(headEnd(Buffer.from(`${HEAD}more`), from), HEAD.length, `searched ${from} bytes`);
  }
});

test("head end: a line that ends with LF alone is refused while the head is incomplete", () => {
  assert.throws(() => headEnd(Buffer.from("GET / HTTP/1.1\n")), { name: "MessageError", status: 400 });
  assert.throws(() => headEnd(Buffer.from("\n")), { name: "MessageError" });
  assert.throws(() => headEnd(Buffer.from("GET / HTTP/1.1\r\na: b\n\n")), { name: "MessageError" });
});

test("head end: a lone LF is refused in the bytes that came after an earlier search, too", () => {
  const text = "GET / HTTP/1.1\r\na: b\nc: d";
  assert.throws(() => headEnd(Buffer.from(text), text.indexOf("b\n") + 1), { name: "MessageError" });
});

test("head end: a CRLF in two reads is no lone LF", () => {
  const text = "GET / HTTP/1.1\r\n";
  assert.equal(headEnd(Buffer.from(text), text.length - 1), -1);
});

test("empty line: one before a request is two bytes, anything else none", () => {
  assert.equal(emptyLineAt(Buffer.from("\r\nGET /")), 2);
  assert.equal(emptyLineAt(Buffer.from("\r\n")), 2);
  for (const text of ["", "\r", "\n", "\n\n", "\rX", "GET / HTTP/1.1\r\n"]) {
    assert.equal(emptyLineAt(Buffer.from(text)), 0, JSON.stringify(text));
  }
});

test("head text: fields go out under the names they came with, then what is added, then the empty line", () => {
  const fields = [{ name: "X-Y", lower: "x-y", value: "1" }, { name: "z", lower: "z", value: "" }];
  assert.equal(headText("GET / HTTP/1.1", fields, "Via: v\r\n"), "GET / HTTP/1.1\r\nX-Y: 1\r\nz: \r\nVia: v\r\n\r\n");
});
