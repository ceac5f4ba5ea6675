import assert from "node:assert/strict";
import test from "node:test";
import { parseRequestHead } from "../../../src/http/head.ts";

const parse = (text: string) => parseRequestHead(Buffer.from(text, "latin1"));

test("request head: method, target, version and fields are taken apart", () => {
  assert.deepEqual(parse("POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Mixed-CASE:  a b\t \r\nEmpty:\r\n\r\n"), {
    method: "POST",
    target: "/a?b=c",
    minor: 1,
    fields: [
      { name: "Host", lower: "host", value: "x" },
      { name: "X-Mixed-CASE", lower: "x-mixed-case", value: "a b" },
      { name: "Empty", lower: "empty", value: "" },
    ],
  });
});

test("request head: one without fields, and one of HTTP/1.0", () => {
  assert.deepEqual(parse("GET / HTTP/1.0\r\n\r\n"), { method: "GET", target: "/", minor: 0, fields: [] });
});

test("request head: fields keep their order, repeated ones too", () => {
  const { fields } = parse("GET / HTTP/1.1\r\nb: 1\r\na: 2\r\nb: 3\r\n\r\n");
  assert.deepEqual(fields.map(({ name, value }) => name + value), ["b1", "a2", "b3"]);
});

test("request head: bytes above 127 in target and value stay the bytes they are", () => {
  const head = parse("GET /\xc3\xa9 HTTP/1.1\r\nx: \xff\xfe\r\n\r\n");
  assert.equal(head.target, "/\xc3\xa9");
  assert.equal(head.fields[0]?.value, "\xff\xfe");
});

test("request head: colons, quotes, commas and tabs are part of a value", () => {
  assert.equal(parse('GET / HTTP/1.1\r\nx: a:b,\t"c"\r\n\r\n').fields[0]?.value, 'a:b,\t"c"');
});

test("request head: any token is a method", () => {
  assert.equal(parse("M-SEARCH * HTTP/1.1\r\n\r\n").method, "M-SEARCH");
  assert.equal(parse("a!#$%&'*+.^_`|~9 * HTTP/1.1\r\n\r\n").method, "a!#$%&'*+.^_`|~9");
});

const refused: Record<string, string> = {
  "without a version": "GET /\r\n\r\n",
  "without a target": "GET HTTP/1.1\r\n\r\n",
  "with two spaces in its first line": "GET  / HTTP/1.1\r\n\r\n",
  "with a space in its target": "GET /a b HTTP/1.1\r\n\r\n",
  "with a space behind its version": "GET / HTTP/1.1 \r\n\r\n",
  "with a tab for a space": "GET\t/ HTTP/1.1\r\n\r\n",
  "with an empty first line": "\r\nHost: x\r\n\r\n",
  "with a method that is no token": "GE(T / HTTP/1.1\r\n\r\n",
  "with an empty method": " / HTTP/1.1\r\n\r\n",
  "with a control character in its target": "GET /\x00 HTTP/1.1\r\n\r\n",
  "with DEL in its target": "GET /\x7f HTTP/1.1\r\n\r\n",
  "with a lower-case protocol": "GET / http/1.1\r\n\r\n",
  "with a version of one number": "GET / HTTP/1\r\n\r\n",
  "with a version of several digits": "GET / HTTP/1.10\r\n\r\n",
  "with a field line without a colon": "GET / HTTP/1.1\r\nHost\r\n\r\n",
  "with an empty field name": "GET / HTTP/1.1\r\n: x\r\n\r\n",
  "with a space before a colon": "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
  "with a tab before a colon": "GET / HTTP/1.1\r\nHost\t: x\r\n\r\n",
  "with a space in a field name": "GET / HTTP/1.1\r\nTransfer Encoding: x\r\n\r\n",
  "with a byte above 127 in a field name": "GET / HTTP/1.1\r\nh\xf6st: x\r\n\r\n",
  "with a first field line that begins with a space": "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
  "with a folded field line": "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
  "with a field line folded by a tab": "GET / HTTP/1.1\r\na: b\r\n\tc\r\n\r\n",
  "with a bare LF in a value": "GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n",
  "with a bare CR in a value": "GET / HTTP/1.1\r\na: b\rc: d\r\n\r\n",
  "with a bare CR before a line end": "GET / HTTP/1.1\r\na: b\r\r\n\r\n",
  "with a NUL in a value": "GET / HTTP/1.1\r\na: b\x00\r\n\r\n",
  "with DEL in a value": "GET / HTTP/1.1\r\na: b\x7f\r\n\r\n",
  "with a bare LF behind its first line": "GET / HTTP/1.1\nHost: x\r\n\r\n",
};

for (const [name, text] of Object.entries(refused)) {
  test(`request head: one ${name} is refused`, () => {
    assert.throws(() => parse(text), { name: "MessageError", status: 400, code: "request-invalid" });
  });
}

for (const version of ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9"]) {
  test(`request head: ${version} is refused as a version that is not spoken`, () => {
    assert.throws(() => parse(`GET / ${version}\r\n\r\n`), {
      name: "MessageError",
      status: 505,
      code: "version-unsupported",
    });
  });
}

test("request head: a line that was refused once is refused again", () => {
  // Lines are remembered once they have been checked.
  for (const line of ["bad name: x", "a: \x00", "no colon", " folded"]) {
    for (let i = 0; i < 3; i++) {
      assert.throws(() => parse(`GET / HTTP/1.1\r\n${line}\r\n\r\n`), { name: "MessageError" });
    }
  }
});

test("request head: more different lines than are remembered are parsed all the same", () => {
  for (let i = 0; i < 2000; i++) {
    const { fields } = parse(`GET / HTTP/1.1\r\nX-Name-${i}: v\r\n\r\n`);
    assert.deepEqual(fields, [{ name: `X-Name-${i}`, lower: `x-name-${i}`, value: "v" }]);
  }
});

test("request head: lines that differ in a blank, a case or a byte are told apart, in any order", () => {
  const lines = ["x: a", "x:a", "X: a", "x: A", "x:  b", "x: \xe1", "x: a,"];
  for (const line of [...lines, ...lines]) {
    const [field] = parse(`GET / HTTP/1.1\r\n${line}\r\n\r\n`).fields;
    assert.deepEqual(field, { name: line[0], lower: "x", value: line.slice(2).trim() });
  }
});
