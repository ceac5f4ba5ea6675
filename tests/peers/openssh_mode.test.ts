import assert from "node:assert/strict";
import { ClientProcess } from "../world/executable.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";
import { NEEDS, startOpensshMode } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";

const get = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

peerTest("petit's client registers with a join code and connects through the system's sshd", NEEDS, async (t) => {
  const web = await startService(t, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  });
  const { server } = await startOpensshMode(t);
  const client = await new ClientProcess(t).register(await server.joinCode(), web.port);
  await client.start();
  for (let requests = 0; requests < 3; requests++) {
    assert.equal(statusOf(await exchange(server.proxyPort, get(`${client.id}.example.com`))), 200);
  }
});
