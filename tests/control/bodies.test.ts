import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import test, { before } from "node:test";
import { TestApi } from "../world/api.ts";
import { fileScope } from "../world/file_scope.ts";
import { TestServer } from "../world/world.ts";

const scope = fileScope();
let api: TestApi;

before(async () => {
  api = await TestApi.ofServer(scope, await new TestServer(scope).start());
});

/** Sends bytes as they are; resolves to the answer when the connection ends. */
async function exchange(text: string): Promise<string> {
  const socket = connect(api.port, "127.0.0.1");
  let got = "";
  socket.setEncoding("latin1").on("data", (part) => got += part).on("error", () => {});
  socket.write(text, "latin1");
  await once(socket, "close");
  return got;
}

const head = (more: string) =>
  `PUT /log/level HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\nConnection: close\r\n${more}\r\n`;

test("a body that is not declared as JSON is refused", async () => {
  const body = JSON.stringify({ level: "warn" });
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "multipart/form-data; boundary=x",
    ]
  ) {
    const answer = await api.ask("PUT", "/log/level", { body, headers: { "content-type": type } });
    assert.deepEqual([answer.status, answer.json.code], [415, "not-json"], type);
  }
  const without = await exchange(head(`Content-Length: ${body.length}\r\n`) + body);
  assert.match(without, /^HTTP\/1\.1 415 /);
  const charset = await api.ask("PUT", "/log/level", {
    body,
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  });
  assert.equal(charset.status, 200);
});

test("what is not JSON, or not what was asked for, is refused", async () => {
  for (
    const body of [
      "{",
      "",
      " ",
      "null",
      "[]",
      '"warn"',
      '{"level":1}',
      "{}",
      '{"__proto__":{"level":"warn"}}',
      "\u0000",
    ]
  ) {
    const answer = await api.ask("PUT", "/log/level", { body });
    assert.deepEqual([answer.status, answer.json.code], [400, "request-invalid"], JSON.stringify(body));
  }
});

test("a body of more than 64 KiB is refused, declared or chunked", async () => {
  const large = JSON.stringify({ level: "warn", more: "x".repeat(64 * 1024) });
  const declared = await api.ask("PUT", "/log/level", { body: large });
  assert.deepEqual([declared.status, declared.json.code], [413, "body-too-large"]);
  const chunk = `8000\r\n${" ".repeat(0x8000)}\r\n`;
  const chunked = await exchange(
    head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + chunk.repeat(3) + "0\r\n\r\n",
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  const fitting = await api.ask("PUT", "/log/level", { body: JSON.stringify({ level: "warn" }).padEnd(60 * 1024) });
  assert.equal(fitting.status, 200);
});

test("what is no HTTP is answered with JSON, and the next request is served", async () => {
  const cases: [string, RegExp][] = [
    ["nonsense\r\n\r\n", /^HTTP\/1\.1 400 .*"request-invalid"/s],
    ["GET /ping HTTP/1.1\r\nHost: localhost\r\nbad field\r\n\r\n", /^HTTP\/1\.1 400 /],
    [
      `GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(40_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*"request-invalid"/s,
    ],
    ["GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET /ping HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 4(?:00|21) /],
    ["GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 404 .*"not-found"/s],
    ["GET /status/%E0%A4%A HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 404 /],
  ];
  for (const [bytes, expected] of cases) assert.match(await exchange(bytes), expected, bytes.slice(0, 60));
  assert.equal((await api.get("/ping")).status, 200);
});

test("connections that break off in the middle leave the API as it was", async () => {
  const heads = [
    "GET /registry HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /reg",
    head("Content-Type: application/json\r\nContent-Length: 100\r\n") + '{"lev',
    `GET /log/tail HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\n\r\n`,
  ];
  for (const text of heads) {
    for (const end of ["destroy", "resetAndDestroy"] as const) {
      const socket = connect(api.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      await new Promise((resolve) => socket.write(text, resolve));
      socket[end]();
    }
  }
  assert.equal((await api.get("/ping")).status, 200);
  assert.deepEqual((await api.get("/log")).json.lines, []);
});
