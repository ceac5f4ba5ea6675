import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { exchange, fieldLines, head, RawCaller, statusOf, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

/** Repeated, in mixed case, in an order that no sorting makes, and with odd but legal values. */
const LINES = [
  "X-b: 1",
  "x-B: 2",
  "Accept: */*",
  "X-a: 3",
  "X-B: 4",
  "accept-ENCODING: gzip, br",
  "X-Empty: ",
  "X-Obs: caf\xe9 \xc3\xa9",
  'X-Quoted: "a, b;c=\\"d\\""',
  "X-Tab: a\tb",
  "X-Spaces: a   b",
  "Cookie: a=1",
  "Cookie: b=2",
  "!#$%&'*+-.^_`|~9z: token",
];

/** What the service gets when a caller sends these lines, and what the caller gets when the service answers with `answer`. */
async function pass(t: TestContext, request: string[], answer: string[]) {
  const service = new AnsweringService(head("HTTP/1.1 200 OK", ...answer, "Content-Length: 0"));
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`, ...request));
  const toCaller = (await takeAnswer(caller)).head;
  return { world, toService: service.heads[0] as string, toCaller };
}

test("field lines of a request keep their order, case and number", async (t) => {
  const { world, toService } = await pass(t, LINES, []);
  const lines = fieldLines(toService);
  assert.deepEqual(lines.slice(0, LINES.length + 1), [`Host: ${world.id}`, ...LINES]);
});

test("field lines of an answer keep their order, case and number", async (t) => {
  const answer = [
    "Set-Cookie: a=1",
    "set-cookie: b=2",
    ...LINES,
    "Set-Cookie: c=3",
    "Date: Tue, 01 Jan 2030 00:00:00 GMT",
  ];
  const { toCaller } = await pass(t, [], answer);
  assert.deepEqual(fieldLines(toCaller), [...answer, "Content-Length: 0"]);
});

test("white space around a field value goes, the value stays", async (t) => {
  const { toService, toCaller } = await pass(t, ["X-A:none", "X-B: \t  both \t "], ["X-A:none", "X-B: \t  both \t "]);
  for (const text of [toService, toCaller]) {
    assert.deepEqual(valuesOf(text, "x-a"), ["none"]);
    assert.ok(text.includes("\r\nX-B: both\r\n"), text);
  }
});

test("fields of one hop go no further, nor do those that Connection names", async (t) => {
  const hop = [
    "Connection: keep-alive, X-Hop, x-second",
    "Connection: X-Third",
    "X-HOP: 1",
    "X-Second: 2",
    "x-third: 3",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eA==",
    "Proxy-Authenticate: Basic",
    "Upgrade: h2c",
    "TE: gzip",
  ];
  const { toService, toCaller } = await pass(t, [...hop, "X-Last: kept"], [...hop, "X-Last: kept"]);
  for (const text of [toService, toCaller]) {
    for (const line of hop) {
      const name = line.slice(0, line.indexOf(":"));
      assert.deepEqual(valuesOf(text, name), [], `${name} in ${text}`);
    }
    assert.deepEqual(valuesOf(text, "x-last"), ["kept"]);
  }
});

test("Connection cannot take Host or Content-Length away", async (t) => {
  const service = new AnsweringService(
    head("HTTP/1.1 200 OK", "Connection: Content-Length, Date", "Content-Length: 2") + "ok",
  );
  const world = await makeWorld(t, service.accept);
  const answer = await exchange(
    world.proxyPort,
    head("GET / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 0", "Connection: close, Host, Content-Length"),
  );
  assert.equal(statusOf(answer), 200);
  assert.match(answer, /\r\nContent-Length: 2\r\n/);
  assert.deepEqual(valuesOf(service.heads[0] as string, "host"), [world.id]);
  assert.deepEqual(valuesOf(service.heads[0] as string, "content-length"), ["0"]);
});

test("Connection cannot take away what says who called", async (t) => {
  const { toService } = await pass(t, ["Connection: X-Forwarded-For, X-Forwarded-Host, Forwarded, Via"], []);
  for (const name of ["x-forwarded-for", "x-forwarded-host", "forwarded", "via"]) {
    assert.equal(valuesOf(toService, name).length, 1, name);
  }
});

test("Date is added to an answer that has none, and otherwise left as it is", async (t) => {
  const without = await pass(t, [], ["X-A: b"]);
  const [date = ""] = valuesOf(without.toCaller, "date");
  assert.match(date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  assert.ok(Math.abs(Date.parse(date) - Date.now()) < 120_000, date);
  const own = await pass(t, [], ["date: Tue, 01 Jan 2030 00:00:00 GMT"]);
  assert.deepEqual(valuesOf(own.toCaller, "date"), ["Tue, 01 Jan 2030 00:00:00 GMT"]);
});

test("a folded field line of an answer is unfolded, and white space before its colon removed", async (t) => {
  // RFC 9112, sections 5.1 and 5.2: in answers a proxy mends both, since many old services send them.
  const { toCaller } = await pass(t, [], ["X-Folded: one", " two", "\tthree", "X-Space : value"]);
  assert.ok(toCaller.includes("\r\nX-Folded: one two three\r\n"), toCaller);
  assert.ok(toCaller.includes("\r\nX-Space: value\r\n"), toCaller);
});
