import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { mayBeAsked } from "../../../../src/client/legacy/address_to_ask.ts";
import { probeLoop } from "../../../../src/client/legacy/probe_loop.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { formerFolder } from "./legacy_folder.ts";

/** What a client finds out whose server, on 127.0.0.1, names `endpoint`, with the port of an HTTP server on `listens`; and what that one was asked. */
async function probe(t: TestContext, listens: string, endpoint: (port: number) => string) {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end('{"success": true}');
  });
  await new Promise<void>((resolve) => http.listen(0, listens, resolve));
  t.after(() => http.close());
  const { port } = http.address() as AddressInfo;
  const folder = formerFolder(t, { default: { id: "4001", port: 11081 } });
  const text = `[client]\nhost = "127.0.0.1"\n[client.local]\nhost = "${listens}"\nport = ${port}\n`;
  const { client: config } = parseConfig(text, `${folder}/config.toml`);
  const template = endpoint(port);
  const { code, error } = await probeLoop({
    ...{ config, folder, template, id: "4001", signal: AbortSignal.timeout(10_000) },
  });
  return { code, error, asked };
}

test("probe through a server of 0.6: its own address is asked, and a name below localhost", async (t) => {
  for (const host of ["127.0.0.1", "REGID.localhost"]) {
    const { code, asked } = await probe(t, "127.0.0.1", (port) => `http://${host}:${port}`);
    assert.deepEqual([code, asked.length], [undefined, 1], host);
  }
});

test("probe through a server of 0.6: this machine is not asked in its name", async (t) => {
  const { code, error, asked } = await probe(t, "127.0.0.2", (port) => `http://127.0.0.2:${port}`);
  assert.deepEqual([code, asked], ["loop-unknown", []]);
  assert.match(error ?? "", /127\.0\.0\.2 is in a network of its own, and not the server's address/);
});

test("probe through a server of 0.6: which addresses may be asked", () => {
  const own = ["203.0.113.5"];
  for (const address of ["203.0.113.5", "198.51.100.7", "2001:db8::1", "172.32.0.1", "100.128.0.1"]) {
    assert.equal(mayBeAsked(address, own, false), true, address);
  }
  const refused = [
    "127.0.0.1",
    "::1",
    "::",
    "0.0.0.0",
    "::ffff:127.0.0.1",
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
  ];
  for (const address of [...refused, "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"]) {
    for (const named of [false, true]) assert.equal(mayBeAsked(address, own, named), false, address);
  }
  assert.equal(mayBeAsked("::ffff:10.0.0.5", ["10.0.0.5"], false), true, "the server's own");
  assert.equal(mayBeAsked("10.0.0.6", ["10.0.0.5"], false), false);
  assert.equal(mayBeAsked("10.0.0.6", ["10.0.0.5"], true), true, "a name of the network that the server is in");
  for (const address of refused) assert.equal(mayBeAsked(address, ["10.0.0.5"], true), false, address);
});
