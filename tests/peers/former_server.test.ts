import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { getOnce } from "../world/raw_http.ts";
import { listenOn } from "../world/world.ts";
import { FORMER_SERVER } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";

peerTest("a server and a client of 0.6.34 carry requests, also after a restart", FORMER_SERVER, async (t) => {
  const service = createServer((_, response) => response.end("hello"));
  const servicePort = await listenOn(service);
  t.after(() => service.close());
  const server = await (await FormerServer.make(t)).start();
  const client = await FormerClient.init(t, server.target);
  const { id, port } = await client.register(servicePort);
  await client.start();
  const ask = (port: number) => getOnce(port, `${id}.example.com`);
  for (const way of [server.proxyPort, port]) {
    assert.match(await ask(way), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n(?:5\r\n)?hello/);
  }
  assert.match(
    readFileSync(server.authorizedKeys, "utf8"),
    new RegExp(`^command=.*permitopen="localhost:${port}" ssh-rsa `),
  );

  await client.stop();
  await server.stop();
  await server.start();
  await client.start();
  assert.match(await ask(server.proxyPort), /hello/);
});
