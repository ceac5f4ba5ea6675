import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../world/eventually.ts";
import { ServerProcess } from "../world/executable.ts";
import { startWord } from "../world/word_service.ts";
import { FORMER_CLIENT } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { isServed, legacyWorld, serverOfFormer } from "./former_world.ts";
import { peerTest } from "./peer_test.ts";

peerTest("a client of 0.6.34 is told how its operator can have it registered", FORMER_CLIENT, async (t) => {
  for (const registration of ["join", "closed"]) {
    const { server, target } = await serverOfFormer(t, { "server.registration": registration });
    const client = await FormerClient.init(t, target);
    for (const folder of ["logs", "tenants/first"]) mkdirSync(join(client.folder, folder), { recursive: true });
    writeFileSync(join(client.folder, "tenants/first/config.toml"), 'name = "first"\nindex = 1\n');
    const { stdout, stderr } = await client.run("register", "-t", "first");
    assert.match(`${stdout}${stderr}`.replaceAll(/\s+/g, " "), new RegExp(`registration is "${registration}"`));
    const told = await server.daemon.logged(({ code }) => code === "registration-closed");
    assert.match(told.msg, /its operator can set it to "open", or import a registration/);
  }
});

peerTest(
  "a client of 0.6.34 whose registration file is damaged gets an answer, and is well again with the right one",
  FORMER_CLIENT,
  async (t) => {
    const { server, client, id, port } = await legacyWorld(t, await startWord(t, "ok"));
    await client.stop();
    const file = join(client.folder, "tenants", "first", "registration");
    const damaged = [
      [{ id: 17, port }, 'no registration "17"'],
      [{ id: "no id", port }, 'no registration \\"no id\\"'],
      [{ port }, "What the client gives as its ids are none"],
      [{ id: null, port: "x" }, "What the client gives as its ids are none"],
      [{ id: { id }, port }, "What the client gives as its ids are none"],
      [{ id: [id], port }, "What the client gives as its ids are none"],
      [{ id: "9".repeat(1000) }, "What the client gives as its ids are none"],
    ] as const;
    for (const [content, answer] of damaged) {
      writeFileSync(file, JSON.stringify(content));
      const process = client.launch();
      await process.line((line) =>
        line.includes(answer.replaceAll('no registration "17"', 'no registration \\"17\\"'))
      );
      assert.ok(process.alive);
      await client.stop();
    }
    writeFileSync(file, JSON.stringify({ id, port: 1 }));
    await client.start();
    await isServed(server, id);
    const answer = await fetch(`http://127.0.0.1:${server.proxyPort}/`, { headers: { host: id } });
    assert.equal(await answer.text(), "ok");
  },
);

peerTest(
  "a client of 0.6.34 that reaches a server which is not open to it is refused, and the log says what would let it in",
  FORMER_CLIENT,
  async (t) => {
    const { server: open, target } = await serverOfFormer(t);
    const closed = await ServerProcess.init(t);
    await closed.start();
    // It shakes hands with the one and builds its tunnel to the other.
    const client = await FormerClient.init(t, { ...target, sshPort: closed.sshPort });
    await client.register(await startWord(t, "ok"));
    client.launch();
    const told = await closed.daemon.logged(({ code }) => code === "legacy-refused");
    assert.match(told.msg, /\[server\] legacyBackchannel = true lets those in that are registered as such/);
    await eventually("it has noticed", () => client.count("Tunnel closed.") > 0);
    assert.equal(closed.daemon.log.filter(({ code }) => code === "legacy-refused").length, 1);
    assert.deepEqual(open.daemon.log.filter(({ code }) => code === "internal"), []);
  },
);
