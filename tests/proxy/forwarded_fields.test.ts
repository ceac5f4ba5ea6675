import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { exchange, head, valuesOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");
const NAMES = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"];

/** The fields about the caller that the service gets, when the caller itself sends `lines`. */
async function forwarded(t: TestContext, lines: string[], settings = ""): Promise<{ id: string; fields: string[][] }> {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept, { server: settings });
  await exchange(
    world.proxyPort,
    head("GET / HTTP/1.1", `Host: ${world.id}.example.com:8090`, "Connection: close", ...lines),
  );
  return { id: world.id, fields: NAMES.map((name) => valuesOf(service.heads[0] as string, name)) };
}

/** What the server itself has to say about a caller on this machine. */
const own = (id: string) => ({
  for: "127.0.0.1",
  proto: "http",
  host: `${id}.example.com:8090`,
  forwarded: `for=127.0.0.1;host="${id}.example.com:8090";proto=http`,
});

const CLAIMS = [
  "X-Forwarded-For: 6.6.6.6",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: evil.example.com",
  "Forwarded: for=6.6.6.6;proto=https",
];

test("the service is told who called, by which protocol and under which host", async (t) => {
  const { id, fields } = await forwarded(t, []);
  const { for: address, proto, host, forwarded: element } = own(id);
  assert.deepEqual(fields, [[address], [proto], [host], [element]]);
});

test("what a caller claims of itself is dropped, in any case and however often", async (t) => {
  const again = CLAIMS.map((line) => line.toUpperCase());
  const { id, fields } = await forwarded(t, [...CLAIMS, ...again]);
  const { for: address, proto, host, forwarded: element } = own(id);
  assert.deepEqual(fields, [[address], [proto], [host], [element]]);
});

test("what a caller claims of itself is dropped with underscores too, which CGI and its heirs take for hyphens", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const claims = CLAIMS.map((line) => line.replaceAll("-", "_"));
  await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close", ...claims));
  assert.doesNotMatch(service.heads[0] as string, /6\.6\.6\.6|evil\.example\.com/);
});

for (const range of ["127.0.0.1", "127.0.0.0/8"]) {
  test(`what a proxy in trustedProxies says is believed and extended ("${range}")`, async (t) => {
    const { id, fields } = await forwarded(
      t,
      ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2, 3.3.3.3", ...CLAIMS.slice(1)],
      `trustedProxies = ["10.0.0.0/8", "${range}"]`,
    );
    assert.deepEqual(fields, [
      ["1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1"],
      ["https"],
      ["evil.example.com"],
      [`for=6.6.6.6;proto=https, ${own(id).forwarded}`],
    ]);
  });
}

test("a proxy in trustedProxies that says nothing leaves the server's own word", async (t) => {
  const { id, fields } = await forwarded(t, [], 'trustedProxies = ["127.0.0.1"]');
  const { for: address, proto, host, forwarded: element } = own(id);
  assert.deepEqual(fields, [[address], [proto], [host], [element]]);
});

test("another address in trustedProxies does not make this caller trusted", async (t) => {
  const { id, fields } = await forwarded(t, CLAIMS, 'trustedProxies = ["127.0.0.2", "10.0.0.0/8", "::1"]');
  assert.deepEqual(fields[0], [own(id).for]);
  assert.deepEqual(fields[3], [own(id).forwarded]);
});

test("Via names the protocol that the caller speaks, behind the hops before", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close", "Via: 2 edge"));
  await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`));
  assert.deepEqual(service.heads.map((text) => valuesOf(text, "via")), [["2 edge", "1.1 petit"], ["1.0 petit"]]);
});
