import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { petit } from "../world/executable.ts";
import { getOnce, statusOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { startService } from "../world/world.ts";
import { FORMER_CLIENT } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { isServed } from "./former_world.ts";
import { NEEDS, startOpensshMode } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

peerTest(
  "a client of 0.6.34 registers, and its tunnel goes through the system's sshd",
  [...NEEDS, ...FORMER_CLIENT],
  async (t) => {
    const web = await startService(t, new AnsweringService(OK).accept);
    const mode = await startOpensshMode(t, {
      sshd: { settings: ["PubkeyAcceptedAlgorithms +ssh-rsa"] },
      server: { "server.legacyBackchannel": true, "server.backHost": "127.0.0.1", "server.registration": "open" },
    });
    const { server, sshd, backPort } = mode;
    const client = await FormerClient.init(t, { sshPort: sshd.port, backPort, username: sshd.user });
    const { id, port } = await client.register(web.port);
    const line = readFileSync(sshd.authorizedKeys, "latin1").split("\n").find((one) => one.endsWith(` petit:${id}`));
    assert.ok(line?.includes(`permitlisten="0.0.0.0:${port}"`) && line.includes(" ssh-rsa "), String(line));
    await client.start();
    await isServed(server, id);
    for (let requests = 0; requests < 3; requests++) {
      assert.equal(statusOf(await getOnce(server.proxyPort, `${id}.example.com`)), 200);
    }
    const { stdout } = await petit(["server", "check", "--json", "-c", server.config]);
    const { items } = JSON.parse(stdout) as { items: { name: string; state: string }[] };
    assert.equal(items.find(({ name }) => name === "PubkeyAcceptedAlgorithms")?.state, "ok");
  },
);
