import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../world/eventually.ts";
import { petit } from "../world/executable.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";
import { makeOpensshWorld, type OpensshWorld, startSshTunnel } from "./openssh.ts";
import { peerTest } from "./peer_test.ts";

const UPDATING = ["-o", "UpdateHostKeys=yes"];

/** The keys that OpenSSH has in its file. */
const pinned = ({ client }: OpensshWorld) =>
  readFileSync(join(client.folder, "known_hosts"), "utf8").trim().split("\n").map((line) => line.split(" ")[2]);

/** The public half of one of the server's host keys. */
const publicKey = ({ server }: OpensshWorld, suffix = "") =>
  readFileSync(join(server.folder, `ssh_host_ed25519_key${suffix}.pub`), "utf8").split(" ")[1];

peerTest(
  "OpenSSH learns the next host key from the one that it knows, and connects on when that has gone",
  ["ssh"],
  async (t) => {
    const web = await startService(t, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
    });
    const world = await makeOpensshWorld(t, web.port);
    const { server, client } = world;
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await petit(["server", ...args, "-c", server.config, "--json"]);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    // A registration of the tests' own, whose client never connects.
    await eventually(
      "the server can be told",
      async () => (await petit(["server", "status", "-c", server.config])).code === 0,
    );
    await run("unregister", "1001");

    const first = publicKey(world);
    const serves = async () =>
      assert.equal(statusOf(await exchange(client.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
    let ssh = await startSshTunnel(t, world, web.port, UPDATING);
    await run("hostkey", "rotate");
    const next = publicKey(world, ".next");
    // It has heard of the host keys already, and takes a second time for an attack.
    await serves();
    assert.deepEqual((await run("hostkey")).next.unaware, [{ ids: [client.id], connected: true }]);

    await ssh.stop();
    ssh = await startSshTunnel(t, world, web.port, UPDATING);
    await eventually("OpenSSH has written the next key", () => pinned(world).includes(next));
    assert.deepEqual(pinned(world), [first, next]);
    await eventually("the server knows of it", async () => (await run("hostkey")).next.unaware.length === 0);

    await run("hostkey", "finish");
    await serves();
    await ssh.stop();
    ssh = await startSshTunnel(t, world, web.port, UPDATING);
    await serves();
    await eventually("OpenSSH has forgotten the former key", () => !pinned(world).includes(first));
    assert.deepEqual(pinned(world), [next]);
  },
);
