import assert from "node:assert/strict";
import test from "node:test";
import { fullStatusText, statusText } from "../../../../src/cli/server/server_status_text.ts";
import type { Disconnect } from "../../../../src/server/disconnect.ts";
import type { RegistrationStatus, ServerStatus } from "../../../../src/server/server_status.ts";
import { lights } from "../../../world/lights.ts";

const STARTED = Date.UTC(2026, 0, 1);

function registration(id: number, more: Partial<RegistrationStatus> = {}): RegistrationStatus {
  return {
    ...{
      registeredId: String(id),
      port: id + 10080,
      fingerprint: "SHA256:x",
      connected: false,
      aliases: [],
      vitae: null,
    },
    ...{ brand: "ce", tenant: "default", endpoint: `http://${id}.example.com`, tunnel: null },
    createdAt: new Date(STARTED).toISOString(),
    old: false,
    lights: lights("red", "red", "unknown"),
    ...more,
  };
}

function disconnect(more: Partial<Disconnect> = {}): Disconnect {
  return {
    ...{ at: STARTED + 9000, tunnel: "0123456789abcdef", ids: ["1001"], address: "192.0.2.7", lasted: 61_000 },
    ...{ cause: null, code: null, clientAt: null, clientCause: null, clientCode: null },
    ...more,
  };
}

function status(connections: RegistrationStatus[]): ServerStatus {
  return {
    ...{ status: "running", version: "1.2.3", pid: 42, startedAt: new Date(STARTED).toISOString(), connections },
    ports: { proxy: 8090, secureProxy: 8453, ssh: 2222 },
    connected: connections.filter(({ connected }) => connected).length,
  };
}

test("status: a server without registrations has a summary and no table", () => {
  const text = statusText(status([]), [], STARTED + 7_200_000);
  assert.match(text, /^Server running since .* \(2 h\), pid 42, version 1\.2\.3\n/);
  assert.match(text, /\nPorts: SSH 2222, HTTP 8090, HTTPS 8453\n0 registrations, 0 connected\n$/);
});

test("status: one line a registration, with the aliases shortened", () => {
  const all = [
    registration(1001, { aliases: ["a.example", "b.example", "c.example", "d.example"] }),
    registration(1002, {
      connected: true,
      lights: lights("green", "green", "red"),
      tunnel: { address: "192.0.2.7", since: new Date(STARTED).toISOString(), channels: 1 },
      vitae: { brand: "ce", version: "1.0.0", hostname: "bücher" },
    }),
  ];
  const lines = statusText(status(all), all).split("\n").slice(4, -1);
  assert.equal(lines.length, 3);
  assert.match(lines[1] as string, /^1001 {2}away {7}down {4}down {4}- .* a\.example, b\.example \+2 +-$/);
  assert.match(
    lines[2] as string,
    /^1002 {2}connected {2}up {6}up {6}down {5}20\d\d-.* {2}192\.0\.2\.7 {2}bücher {2}ce +- +1\.0\.0$/,
  );
});

test("status: what clients tell of themselves does nothing to the terminal, and stays on its line", () => {
  const evil = "x\x1b[2J\x07\n1003  connected\u202e";
  const all = [registration(1001, { vitae: { brand: "ce", version: evil, hostname: evil }, brand: evil })];
  for (
    const text of [
      statusText(status(all), all),
      fullStatusText({ ...all[0] as RegistrationStatus, access: "open", disconnects: [] }),
    ]
  ) {
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]|^1003/m);
  }
});

test("status ID: the disconnects with their causes, the newest first", () => {
  const text = fullStatusText({
    ...registration(1001),
    access: "open",
    disconnects: [
      disconnect({ cause: "the server stopped", clientCause: "the connection was reset (ECONNRESET)" }),
      disconnect({ at: STARTED, address: "192.0.2.8", lasted: 5000, cause: "the client stopped" }),
      disconnect({ address: null, lasted: null, clientCause: "the client was killed" }),
    ],
  });
  assert.match(text, /^Registration {4}1001\nState {11}away\n/);
  assert.match(
    text,
    /\nLast disconnects\nAT .* ADDRESS +CAUSE +CLIENT SAW\n.* 1 min 1 s {2}192\.0\.2\.7 {2}the server stopped +the connection was reset \(E/,
  );
  assert.match(
    text,
    /\n.* 5 s {2}192\.0\.2\.8 {2}the client stopped +-\n.* - {2}- +not seen by the server {2}the client was killed\n$/,
  );
});
