import assert from "node:assert/strict";
import test from "node:test";
import { http } from "../../../../src/server/probe/http.ts";
import { dialogueOf } from "../../../../src/server/probe/probe_kind.ts";
import { dribbles, errorOf, found, says } from "./fixture.ts";

const probe = () => http("/health?deep=1", "books.lan:8080");

test("HTTP probe: it asks for the path, by the name of the service", async () => {
  const { link } = await found(probe(), says("HTTP/1.1 200 OK\r\n"));
  assert.match(link.data, /^GET \/health\?deep=1 HTTP\/1\.1\r\nHost: books\.lan:8080\r\n(?:[^\r]+\r\n)*\r\n$/);
  assert.match(link.data, /\r\nConnection: close\r\n/);
  assert.deepEqual(link.signs, ["eof", "close"]);
});

for (const status of ["200 OK", "204 No Content", "301 Moved", "401 Unauthorized", "404 Not Found", "499 "]) {
  test(`HTTP probe: ${status} shows that the service works`, async () => {
    const answer = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;
    assert.equal(errorOf((await found(probe(), says(answer))).finding), "well");
    assert.equal(errorOf((await found(probe(), dribbles(answer))).finding), "well");
  });
}

test("HTTP probe: a status from 500 is told", async () => {
  const { finding } = await found(probe(), dribbles("HTTP/1.0 503 Service Unavailable\r\n\r\n"));
  assert.equal(
    errorOf(finding),
    "service-unwell: It answered GET /health?deep=1 with 503 Service Unavailable",
  );
});

test("HTTP probe: interim answers are not the answer", async () => {
  const early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  assert.equal(errorOf((await found(probe(), dribbles(`${early}${early}HTTP/1.1 200 OK\r\n`))).finding), "well");
  const { finding } = await found(probe(), says(`${early}HTTP/1.1 500 No\r\n`));
  assert.match(errorOf(finding), /with 500 No$/);
});

test("HTTP probe: a head of any length will do", async () => {
  const { finding } = await found(probe(), says(`HTTP/1.1 200 OK\r\nSet-Cookie: ${"x".repeat(100_000)}`));
  assert.equal(errorOf(finding), "well");
});

test("HTTP probe: a status line that is none is told", async () => {
  const { finding } = await found(probe(), says("HTTP/1.1 ok\r\n\r\n"));
  assert.match(errorOf(finding), /^service-unwell: Its answer to GET \/health\?deep=1 is not HTTP: /);
});

test("HTTP probe: what a client says cannot become more than a path and a host", () => {
  for (
    const wish of [{ probe: "/a b", host: "x" }, { probe: "/a", host: "x\r\nY: 1" }, { probe: "/\u00e9", host: "x" }]
  ) {
    assert.equal(dialogueOf(wish).wanted, "a connection");
  }
  assert.equal(dialogueOf({ probe: "/a", host: "[::1]:8080" }).wanted, "an answer to GET /a");
});
