import assert from "node:assert/strict";
import test from "node:test";
import { endToEnd, isToken, joinedValues, listMembers, parseFields, valueOf } from "../../../src/http/fields.ts";

const fields = (...lines: string[]) => parseFields(lines, 0);
const passedOn = (...lines: string[]) => endToEnd(fields(...lines)).map(({ name }) => name);

test("fields: the first value of a field, by its name in lower case", () => {
  const list = fields("A: 1", "B: 2", "a: 3");
  assert.equal(valueOf(list, "a"), "1");
  assert.equal(valueOf(list, "b"), "2");
  assert.equal(valueOf(list, "c"), undefined);
});

test("fields: the values of all lines of a field make one list", () => {
  const list = fields("A: 1, 2", "B: x", "a: 3", "A:");
  assert.equal(joinedValues(list, "a"), "1, 2, 3, ");
  assert.equal(joinedValues(list, "b"), "x");
  assert.equal(joinedValues(list, "c"), undefined);
});

test("fields: members of a list are taken without blanks, in lower case, empty ones left out", () => {
  assert.deepEqual(listMembers("Close, \tKeep-Alive\t ,, X"), ["close", "keep-alive", "x"]);
  assert.deepEqual(listMembers(""), []);
  assert.deepEqual(listMembers(" , ,"), []);
  assert.deepEqual(listMembers(undefined), []);
});

test("fields: a token has no blanks, separators or bytes above 127", () => {
  for (const token of ["GET", "x-1", "!#$%&'*+-.^_`|~"]) assert.equal(isToken(token), true, token);
  for (const text of ["", "a b", "a:", "a,b", "a/b", '"a"', "(a)", "\x7f", "\xe9", "a\r"]) {
    assert.equal(isToken(text), false, JSON.stringify(text));
  }
});

const hopByHop = [
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "TE",
  "Transfer-Encoding",
  "Upgrade",
];

for (const name of hopByHop) {
  test(`fields: ${name} goes no further than this hop`, () => {
    assert.deepEqual(passedOn("A: 1", `${name}: x`, "B: 2", `${name.toLowerCase()}: y`), ["A", "B"]);
  });
}

test("fields: what Connection names goes no further than this hop, on all of its lines and in any case", () => {
  assert.deepEqual(passedOn("Connection: X-One, close", "x-one: 1", "X-Two: 2", "X-Three: 3", "connection: x-TWO"), [
    "X-Three",
  ]);
});

test("fields: Connection cannot take away what routes or frames a message", () => {
  assert.deepEqual(passedOn("Connection: host, content-length", "Host: x", "Content-Length: 1"), [
    "Host",
    "Content-Length",
  ]);
});

test("fields: everything else is passed on in its order, repeated lines too", () => {
  const lines = ["Via: 1.1 a", "Set-Cookie: a=1", "Trailer: x", "Set-Cookie: b=2", "Authorization: y", "Cookie: z"];
  assert.deepEqual(endToEnd(fields(...lines)).map(({ name, value }) => `${name}: ${value}`), lines);
});

test("fields: parsing begins at the line that is named", () => {
  assert.deepEqual(parseFields(["no field", "a: b"], 1), [{ name: "a", lower: "a", value: "b" }]);
  assert.deepEqual(parseFields(["no field"], 1), []);
});
