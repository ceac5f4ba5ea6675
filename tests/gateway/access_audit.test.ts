import assert from "node:assert/strict";
import test from "node:test";
import { basic, echoHead, grant } from "../world/access.ts";
import { exchange, head } from "../world/raw_http.ts";
import { makeWorld } from "../world/world.ts";

test("the audit log tells who may call, who was let in by what, and who was refused, without any secret", async (t) => {
  const { server, id, proxyPort } = await makeWorld(t, echoHead);
  const { access } = server.running.control;
  access.set(id, { require: ["basic"], allow: ["127.0.0.0/8"] });
  const user = await grant(server, id, { kind: "basic", user: "ann", password: "correct horse", label: "Ann" });
  const token = await grant(server, null, { lifetime: 3_600_000 });
  const guess = `Authorization: ${basic("ann", "battery staple")}`;
  for (let times = 0; times < 3; times++) {
    await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close", guess));
  }
  access.revoke(user.id);
  access.set(id, null);
  const entries = (server.running.audit?.latest(1000, undefined, undefined) ?? []).reverse()
    .map(({ event, facts }) => ({ event, ...JSON.parse(facts) as Record<string, unknown> }))
    .filter(({ event }) => /^(?:access|credential|caller)-/.test(event));
  const by = "operator";
  assert.deepEqual(entries.map((entry) => ({ ...entry, expires: "expires" in entry ? typeof entry["expires"] : "" })), [
    { event: "access-changed", id, rule: '{"require":["basic"],"allow":["127.0.0.0/8"]}', by, expires: "" },
    {
      ...{ event: "credential-granted", id, credential: user.id, kind: "basic", user: "ann", label: "Ann", by },
      expires: "object",
    },
    { event: "credential-granted", id: null, credential: token.id, kind: "bearer", label: "", by, expires: "string" },
    { event: "caller-refused", id, code: "credentials-wrong", address: "127.0.0.1", kind: "http", expires: "" },
    { event: "credential-revoked", id, credential: user.id, kind: "basic", user: "ann", label: "Ann", by, expires: "" },
    { event: "access-changed", id, rule: "default", by, expires: "" },
  ]);
  const everything = JSON.stringify([entries, server.log]);
  for (const secret of ["correct horse", "battery staple", token.secret.slice(19)]) {
    assert.ok(!everything.includes(secret));
  }
  for (const shown of [guess.slice("Authorization: Basic ".length), user.shown.slice("Basic ".length)]) {
    assert.ok(!everything.includes(shown));
  }
});
