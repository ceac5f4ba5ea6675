import assert from "node:assert/strict";
import { eventually } from "../world/eventually.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { peerTest } from "./peer_test.ts";
import { openssh, tunnel } from "./plain_clients.ts";
import { makePlainWorld, registerKey, startPlainService } from "./plain_ssh.ts";

peerTest(
  "access rules hold for a registration that ssh serves: a bearer token at the proxy, addresses at the reverse port",
  ["ssh", "ssh-keygen"],
  async (t) => {
    const world = await makePlainWorld(t);
    const { registeredId: id, registeredPort: port } = await registerKey(world, `${world.keyFile}.pub`);
    const service = await startPlainService(t);
    const access = (...words: string[]) => world.server.command("access", ...words);
    const head = (...fields: string[]) =>
      ["GET / HTTP/1.1", `Host: ${id}.127.0.0.1`, "Connection: close", ...fields, "", ""].join("\r\n");
    const asked = async (...fields: string[]) => statusOf(await exchange(world.server.proxyPort, head(...fields)));
    const raw = () => exchange(port, head());

    await access("set", id, "--require", "bearer", "--raw-allow", "10.0.0.0/8");
    tunnel(t, openssh, world, id, [`${port}:localhost:${service.port}`]);
    await world.server.daemon.logged(({ msg }) => msg === `${id} is connected`);
    const token = (await access("grant", id, "--bearer")).trim();
    // Until the rule is known, whoever asks is let in, with a token or without.
    await eventually("the rule is known", async () => await asked() === 401);
    await eventually("the token is known", async () => await asked(`Authorization: Bearer ${token}`) === 200);
    assert.equal(await asked(`Authorization: Bearer ${token}x`), 401);
    let reached = 0;
    service.server.on("connection", () => reached++);
    assert.equal(await raw(), "");
    assert.equal(reached, 0);

    await access("set", id, "--raw-allow", "127.0.0.0/8");
    await eventually("let in", async () => statusOf(await raw()) === 200);
    assert.equal(await asked(), 401);
  },
);
