import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ClientProcess, petit } from "../world/executable.ts";
import { exchange } from "../world/raw_http.ts";
import { listenOn } from "../world/world.ts";
import { initFor, registerAt } from "./client_of_former.ts";
import { FORMER_SERVER } from "./former.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";

async function startService(t: TestContext, says: string): Promise<number> {
  const service = createServer((_, response) => response.end(says));
  const port = await listenOn(service);
  t.after(() => service.close());
  return port;
}

const get = (port: number, host: string, path = "/") =>
  exchange(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

peerTest("a client registers with a 0.6.34 server and carries its requests", FORMER_SERVER, async (t) => {
  const servicePort = await startService(t, "hello");
  const server = await (await FormerServer.make(t)).start();
  const client = new ClientProcess(t);
  await initFor(server, client, servicePort);
  await registerAt(server, client);
  assert.match(readFileSync(client.keyFile, "utf8"), /^-----BEGIN RSA PRIVATE KEY-----/);
  assert.ok(existsSync(`${client.keyFile}.before`));
  await client.start();
  const host = `${client.id}.example.com`;
  assert.match(await get(server.proxyPort, host), /^HTTP\/1\.1 200 [^]*hello/);
  assert.match(await get(client.port, host), /^HTTP\/1\.1 200 [^]*hello/);
  assert.match(await get(server.proxyPort, host, "/-g2c-intercept"), /^HTTP\/1\.1 200 OK\r\n[^]*\{"success": true\}$/);

  const command = async (...args: string[]) => {
    const { code, stdout, stderr } = await petit(["client", ...args, "-c", client.config]);
    assert.equal(code, 0, `${args}: ${stdout}${stderr}`);
    return stdout;
  };
  console.log(await command("status"));
  console.log(await command("ping", "-n", "2", "-i", "0.1"));
  console.log(await command("sping", "-n", "2", "-i", "0.1"));
  console.log((await petit(["client", "check", "-c", client.config])).stdout);
  console.log(await command("restart"));
  console.log(await command("inbound"));
  console.log(await command("unregister", "-t", "default"));
  console.log(client.daemon.log.map((l) => JSON.stringify(l)).join("\n"));
  console.log(server.process.lines.slice(-20).join("\n"));
  void join;
});
