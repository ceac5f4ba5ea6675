import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { TestApi } from "../world/api.ts";
import { makeWorld } from "../world/world.ts";

test("the host key is replaced over the REST API by whoever has the token", async (t) => {
  const { server, client, id } = await makeWorld(t, (socket) => socket.destroy());
  const api = await TestApi.ofServer(t, server);
  const ask = async (method: string, path: string, asked = {}) => {
    const { status, json } = await api.ask(method, path, asked);
    return [status, json.code ?? "done"];
  };
  for (const path of ["rotate", "finish", "abort"]) {
    assert.deepEqual(await ask("POST", `/host-key/${path}`, { token: null }), [401, "token-missing"]);
  }
  assert.deepEqual(await ask("GET", "/host-key", { token: null }), [401, "token-missing"]);
  assert.deepEqual(await ask("POST", "/host-key/finish"), [409, "host-key-not-rotating"]);
  assert.deepEqual(await ask("POST", "/host-key/abort"), [409, "host-key-not-rotating"]);
  assert.deepEqual(await ask("POST", "/host-key/finish", { body: { force: "yes" } }), [400, "request-invalid"]);

  const rotated = await api.ask("POST", "/host-key/rotate");
  assert.deepEqual(
    [rotated.json.next.aware, rotated.json.next.unaware],
    [1, []],
    "who is connected has been waited for",
  );
  assert.deepEqual(await ask("POST", "/host-key/rotate"), [409, "host-key-rotating"]);
  await ask("POST", "/host-key/abort");

  await client.stop();
  const again = await api.ask("POST", "/host-key/rotate");
  assert.deepEqual(again.json.next.unaware, [{ ids: [id], connected: false }]);
  assert.deepEqual(await ask("POST", "/host-key/finish"), [409, "host-key-unaware"]);
  const forced = await api.ask("POST", "/host-key/finish", { body: { force: true } });
  assert.equal(forced.status, 200);
  assert.deepEqual(forced.json.left, [{ ids: [id], connected: false }]);
  assert.equal(forced.json.current.fingerprint, again.json.next.fingerprint);

  const { entries } = (await api.get("/audit?event=host-key-changed")).json;
  assert.deepEqual(
    entries.map((
      { facts: { replacement, hostKey, clientsLeft, by } }: { facts: Record<string, unknown> },
    ) => [replacement, hostKey, clientsLeft, by]).reverse(),
    [
      ["begun", rotated.json.current.fingerprint, undefined, "operator"],
      ["given up", rotated.json.current.fingerprint, undefined, "operator"],
      ["begun", rotated.json.current.fingerprint, undefined, "operator"],
      ["finished", forced.json.current.fingerprint, 1, "operator"],
    ],
  );

  // Fingerprints and ids, and nothing of the keys themselves.
  const answers = [rotated, again, forced].map(({ text }) => text).join();
  const secret = readFileSync(server.config.server.ssh.hostKey, "utf8").split("\n")[2] as string;
  assert.equal(answers.includes(secret) || answers.includes("PRIVATE"), false);
  const log = JSON.stringify(server.log);
  assert.equal(log.includes(secret) || log.includes("PRIVATE"), false);
});
