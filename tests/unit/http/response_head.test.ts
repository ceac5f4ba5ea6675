import assert from "node:assert/strict";
import test from "node:test";
import { parseRequestHead, parseResponseHead } from "../../../src/http/head.ts";

const parse = (text: string) => parseResponseHead(Buffer.from(text, "latin1"));

test("response head: version, status, reason and fields are taken apart", () => {
  assert.deepEqual(parse("HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n"), {
    minor: 1,
    status: 404,
    reason: "Not Found",
    fields: [{ name: "Server", lower: "server", value: "x" }],
  });
});

const firstLines: [line: string, minor: 0 | 1, status: number, reason: string][] = [
  ["HTTP/1.0 200 OK", 0, 200, "OK"],
  ["HTTP/1.1 200 ", 1, 200, ""],
  ["HTTP/1.1 200", 1, 200, ""],
  ["HTTP/1.1 599 \xe9t\xe9 \t!", 1, 599, "\xe9t\xe9 \t!"],
  ["HTTP/1.1 100 Continue", 1, 100, "Continue"],
];

for (const [line, minor, status, reason] of firstLines) {
  test(`response head: the status line ${JSON.stringify(line)} is understood`, () => {
    assert.deepEqual(parse(`${line}\r\n\r\n`), { minor, status, reason, fields: [] });
  });
}

test("response head: a folded field line is mended to one of spaces", () => {
  const { fields } = parse("HTTP/1.1 200 OK\r\na: b\r\n\t c\r\n   d\r\ne: f\r\n\r\n");
  assert.deepEqual(fields.map(({ name, value }) => [name, value]), [["a", "b c d"], ["e", "f"]]);
});

test("response head: white space before a colon is removed", () => {
  const { fields } = parse("HTTP/1.1 200 OK\r\nContent-Length \t: 5\r\n\r\n");
  assert.deepEqual(fields, [{ name: "Content-Length", lower: "content-length", value: "5" }]);
});

test("response head: a line that is mended in an answer is still refused in a request", () => {
  const line = "X-Mended : yes";
  for (let i = 0; i < 3; i++) {
    assert.equal(parse(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`).fields[0]?.name, "X-Mended");
    assert.throws(() => parseRequestHead(Buffer.from(`GET / HTTP/1.1\r\n${line}\r\n\r\n`)), { name: "MessageError" });
  }
});

test("response head: a line that was continued once is as it was in the next message", () => {
  for (let i = 0; i < 3; i++) {
    assert.equal(parse("HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\r\n").fields[0]?.value, "a b");
    assert.equal(parse("HTTP/1.1 200 OK\r\nX-Folded: a\r\n\r\n").fields[0]?.value, "a");
  }
});

const refused: Record<string, string> = {
  "of another protocol": "ICY 200 OK\r\n\r\n",
  "of HTTP/2": "HTTP/2 200 OK\r\n\r\n",
  "with a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
  "with a status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
  "with a status below 100": "HTTP/1.1 099 Odd\r\n\r\n",
  "without a status": "HTTP/1.1\r\n\r\n",
  "with a control character in its reason": "HTTP/1.1 200 O\x00K\r\n\r\n",
  "with a bare CR in its reason": "HTTP/1.1 200 O\rK\r\n\r\n",
  "with a bare LF behind its first line": "HTTP/1.1 200 OK\nx: y\r\n\r\n",
  "that begins with a folded line": "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
  "with a field line without a colon": "HTTP/1.1 200 OK\r\nx\r\n\r\n",
  "with an empty field name": "HTTP/1.1 200 OK\r\n : x\r\n\r\n",
  "with a field name of two words": "HTTP/1.1 200 OK\r\na b: x\r\n\r\n",
  "with a bare CR before a colon": "HTTP/1.1 200 OK\r\nx\r: y\r\n\r\n",
  "with a bare CR and a blank before a colon": "HTTP/1.1 200 OK\r\nx\r : y\r\n\r\n",
  "with a byte above 127 and a blank before a colon": "HTTP/1.1 200 OK\r\nx\xa0 : y\r\n\r\n",
  "with a NUL in a folded line": "HTTP/1.1 200 OK\r\na: b\r\n \x00\r\n\r\n",
  "with a bare LF in a value": "HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n",
};

for (const [name, text] of Object.entries(refused)) {
  test(`response head: one ${name} is refused`, () => {
    assert.throws(() => parse(text), { name: "MessageError" });
  });
}
