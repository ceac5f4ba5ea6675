import assert from "node:assert/strict";
import { startExecutables } from "../world/executable.ts";
import { abuse, ABUSES, type Outcome, startAbusedService } from "./former_abuse.ts";
import { FORMER_SERVER } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";

const described = ({ asked, failed }: Outcome) => `${failed.length} of ${asked} ordinary requests failed`;

for (const [what, how] of Object.entries(ABUSES)) {
  peerTest(`${what} make no ordinary request fail`, [], async (t) => {
    const { server, client, proxyPort, host } = await startExecutables(t, await startAbusedService(t));
    const outcome = await abuse({ port: proxyPort, host }, how);
    t.diagnostic(described(outcome));
    assert.deepEqual(outcome.failed, []);
    assert.ok(server.daemon.process.alive && client.daemon.process.alive);
  });

  // How a race ends there is nothing to assert: this shows that the same callers are too much for 0.6.34.
  peerTest(`${what}, at a server of 0.6.34`, FORMER_SERVER, async (t) => {
    const server = await (await FormerServer.make(t)).start();
    const client = await FormerClient.init(t, server.target);
    const { id } = await client.register(await startAbusedService(t));
    await client.start();
    const outcome = await abuse({ port: server.proxyPort, host: `${id}.example.com` }, how);
    const fault = server.process.lines.find((line) => line.startsWith("Error: "));
    t.diagnostic(`${described(outcome)}; the server ${server.process.alive ? "lives" : `has died of "${fault}"`}`);
    assert.ok(outcome.asked > outcome.failed.length, outcome.failed.join("\n"));
  });
}
