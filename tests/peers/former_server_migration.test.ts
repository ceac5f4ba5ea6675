import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { startServiceProcess } from "../faults/world/fault_world.ts";
import { Caller } from "../faults/world/caller.ts";
import { within } from "../faults/world/daemon_status.ts";
import { Detached } from "../world/detached.ts";
import { configure } from "../world/executable.ts";
import { FORMER_SERVER, formerProgram } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { FormerServer } from "./former_server.ts";
import { peerTest } from "./peer_test.ts";
import { succeed } from "./version_world.ts";
import { output } from "../world/processes.ts";

peerTest(
  "a server of 0.6.34 is replaced in its own folder, and its clients notice nothing but a restart",
  FORMER_SERVER,
  async (t) => {
    const made: { server?: Detached } = {};
    // Before its folder goes.
    t.after(() => made.server?.kill());
    const { port: servicePort } = await startServiceProcess(t);
    const former = await (await FormerServer.make(t)).start();
    const client = await FormerClient.init(t, former.target);
    const { id, port: rawPort } = await client.register(servicePort);
    await output(formerProgram("petit-server"), ["addalias", id, "db.example.com", "-c", former.config]);
    await client.start();
    const callers = [`${id}.localhost`, "db.example.com"].map((host) =>
      new Caller({ proxyPort: former.proxyPort, rawPort, host })
    );
    const answered = async () =>
      (await Promise.all(callers.map((caller) => caller.ask()))).every((outcome) => outcome.class === "correct");
    await former.stop();
    await former.sshd.process.stop();

    // The client's part of that file is for a client.
    writeFileSync(former.config, readFileSync(former.config, "utf8").replace(/^\[client\][^]*/m, ""));
    const server = new Detached("server", dirname(former.config), former.config);
    made.server = server;
    const refused = await server.run("start");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /"server\.registryUrl" names a Redis.*\n.*"petit server import".*registryUrl = /);
    assert.equal(await succeed(server, "import"), `Registration ${id} was taken in\n`);
    await succeed(server, "config", "server.registryUrl", "sqlite:./registry.db");
    assert.match((await server.run("start")).stderr, /no host key.*\n.*"petit server init"/);
    await succeed(server, "init");
    configure(former.config, {
      "server.legacyBackchannel": true,
      "server.backHost": "127.0.0.1",
      // In the field port 22, which the system's sshd gives up.
      "server.ssh.port": former.sshd.port,
      "server.ssh.listenHost": "127.0.0.1",
    });
    const started = await server.run("start");
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stderr, /"server\.statsUrl" means nothing any more/);
    // It tries again at times of its own choosing.
    assert.notEqual(await within(60_000, answered), undefined, "the client is back, under its id and its alias");
    assert.equal((await callers[0]?.tcp(5, 1000))?.class, "correct", "and on its reverse port");
    assert.deepEqual(client.registration(), { id, port: rawPort });
    const { registeredId, port, aliases, connected } = JSON.parse(await succeed(server, "status", id, "--json"));
    assert.deepEqual([registeredId, port, aliases, connected], [id, Number(rawPort), ["db.example.com"], true]);
  },
);
