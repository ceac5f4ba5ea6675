import assert from "node:assert/strict";
import { chmodSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { FIRST } from "../world/certificates.ts";
import { eventually } from "../world/eventually.ts";
import { configure, petit } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { listenOn } from "../world/world.ts";
import { registeredClient } from "./registered_client.ts";

test("client check: a good set-up has nothing to complain of", async (t) => {
  const { run, check, client } = await registeredClient(t);
  const { code, report, failed } = await check();
  assert.deepEqual([code, report.ok, failed], [0, true, []]);
  assert.ok(report.items.every(({ state }) => state === "ok"));
  const { stdout } = await run("check");
  assert.match(stdout, /^✓ Config file /);
  assert.match(stdout, new RegExp(`✓ Registration +\\[default\\] ${client.id}, port ${client.port}, http`));
  assert.match(stdout, /\nAll is well\n$/);
});

test("client check: what is wrong is found, with a hint, and what needs it is skipped", async (t) => {
  const { check, client, server, run } = await registeredClient(t);
  const wrong = async (failed: string[], skipped: string[], ...args: string[]) => {
    const found = await check(...args);
    assert.deepEqual([found.code, found.failed, found.skipped], [1, failed, skipped]);
    for (const item of found.report.items) {
      if (item.state === "failed") assert.ok(item.hint !== undefined && item.code !== undefined, JSON.stringify(item));
    }
    return found.report.items.find(({ state }) => state === "failed");
  };
  const text = readFileSync(client.config, "utf8");
  const knownHosts = readFileSync(join(client.folder, "known_hosts"), "utf8");
  const key = readFileSync(join(client.folder, "key"), "utf8");
  const step = async (what: string, work: () => Promise<unknown>) => {
    await work().catch((error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    });
  };
  const beyond = ["ssh", "host-key", "login", "server", "registered"];

  await step("files that others can read or write", async () => {
    chmodSync(join(client.folder, "key"), 0o644);
    chmodSync(client.folder, 0o777);
    await wrong(["folder", "key-mode"], beyond);
    chmodSync(client.folder, 0o700);
    chmodSync(join(client.folder, "key"), 0o600);
  });
  await step("a damaged key", async () => {
    writeFileSync(join(client.folder, "key"), "broken");
    await wrong(["key"], ["key-mode", ...beyond]);
    writeFileSync(join(client.folder, "key"), key);
  });
  await step("a name that does not resolve", async () => {
    configure(client.config, { "client.host": "no-such-host.invalid" });
    await wrong(["name", "host-key-pinned"], ["gateway", ...beyond]);
    writeFileSync(client.config, text);
  });
  await step("a port on which nobody listens", async () => {
    configure(client.config, { "client.port": await freePort() });
    await wrong(["gateway", "host-key-pinned"], beyond);
    writeFileSync(client.config, text);
  });
  await step("something that does not speak SSH", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    t.after(() => other.close());
    configure(client.config, { "client.port": await listenOn(other) });
    const item = await wrong(["host-key-pinned", "ssh"], beyond.slice(1));
    assert.equal(item?.code, "host-key-unknown");
    writeFileSync(client.config, text);
  });
  await step("another host key than the pinned one", async () => {
    const replaced = knownHosts.replace(
      /AAAA\S+/,
      (blob) => `${blob.slice(0, -4)}${blob.slice(-4).split("").reverse().join("")}`,
    );
    writeFileSync(join(client.folder, "known_hosts"), replaced);
    const item = await wrong(["host-key"], beyond.slice(2));
    assert.equal(item?.code, "host-key-mismatch");
    writeFileSync(join(client.folder, "known_hosts"), knownHosts);
  });
  await step("a service that is not there", async () => {
    configure(client.config, { "client.local.port": await freePort() });
    const item = await wrong(["service"], []);
    assert.match(item?.detail ?? "", /ECONNREFUSED/);
    assert.match((await run("check")).stdout, /✗ Service .*\n +→ .*\[client\.local\]/);
    writeFileSync(client.config, text);
  });
  await step("an id that the server does not know", async () => {
    const file = join(client.folder, "tenants/default/registration");
    const own = readFileSync(file, "utf8");
    writeFileSync(file, JSON.stringify({ id: "9999", port: client.port }));
    await wrong(["registered"], []);
    writeFileSync(file, JSON.stringify({ id: client.id, port: client.port + 1 }));
    const item = await wrong(["registered"], []);
    assert.equal(item?.code, "port-differs");
    writeFileSync(file, own);
  });
  await step("a tenant that is not there", async () => {
    await wrong(["registration"], [], "-t", "nope");
  });
  await step("a config that cannot be read", async () => {
    writeFileSync(client.config, `${text}\nprot = 1\n`);
    const found = await check();
    assert.deepEqual([found.code, found.failed, found.ok], [1, ["config"], []]);
    writeFileSync(client.config, text);
  });
  await step("a registration that was taken away", async () => {
    await petit(["server", "unregister", client.id, "-c", server.config]);
    await eventually("the server has noticed", async () => (await run("check")).code === 1);
    const item = await wrong(["login"], ["server", "registered"]);
    assert.match(item?.hint ?? "", /Register again/);
  });
  assert.deepEqual((await check()).failed, ["login"], "nothing else is left over");
});

test("client check: a clock that is behind is worth a look, but no failure", async (t) => {
  const { run, check, client } = await registeredClient(t);
  const later = Date.now() / 1000 + 3 * 86_400;
  utimesSync(join(client.folder, "known_hosts"), later, later);
  const { code, report, failed } = await check();
  assert.deepEqual([code, report.ok, failed], [0, true, []]);
  assert.deepEqual(report.items.filter(({ state }) => state === "warning").map(({ code }) => code), ["clock-behind"]);
  assert.match((await run("check")).stdout, /^! Clock .*known_hosts" was written later\n +→ Set the clock/m);
});

test("client check: a service's certificate is verified", async (t) => {
  const { check, client } = await registeredClient(t);
  const service = createTlsServer(FIRST, (socket) => socket.resume());
  t.after(() => service.close());
  const port = await listenOn(service);
  const ca = join(client.folder, "ca.pem");
  writeFileSync(ca, FIRST.cert);
  configure(client.config, { "client.local.host": "localhost", "client.local.port": port, "client.local.tls": true });
  const unknown = await check();
  assert.deepEqual(unknown.failed, ["service"]);
  assert.equal(unknown.report.items.find(({ state }) => state === "failed")?.code, "service-certificate");
  configure(client.config, { "client.local.tlsCa": ca });
  const known = await check();
  assert.deepEqual(known.failed, []);
  assert.match(known.report.items.find(({ name }) => name === "service")?.detail ?? "", /its certificate verified/);
  configure(client.config, { "client.local.tlsCa": "", "client.local.tlsVerify": false });
  assert.match((await check()).report.items.find(({ name }) => name === "service")?.detail ?? "", /NOT verified/);
});
