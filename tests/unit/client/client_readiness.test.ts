import assert from "node:assert/strict";
import test from "node:test";
import { clientReadiness, type Probed } from "../../../src/client/client_readiness.ts";
import { lights } from "../../world/lights.ts";
import type { ClientStatus, Probe, TenantStatus } from "../../../src/client/client_status.ts";

const tenant = (name: string, id: string | null, port: number): TenantStatus => ({
  tenant: name,
  id,
  port: id === null ? null : 11081,
  dir: `/x/tenants/${name}`,
  endpoint: id === null ? null : `http://${id}.example.com`,
  local: { host: "localhost", port, tls: false },
  served: id !== null,
  paused: null,
  lights: lights(),
});

const STATUS: ClientStatus = {
  status: "running",
  version: "1",
  pid: 1,
  startedAt: "",
  registration: [tenant("default", "1001", 8080), tenant("db", "1002", 5432)],
  fingerprint: "",
  vitae: { brand: "ce", version: "1" },
  server: { host: "gw", port: 2222, vitae: null },
  tunnel: { since: "", channels: 0 },
  paused: null,
  waiting: null,
  disconnects: [],
};
const ENDPOINTS = ["http://1001.example.com", "http://1002.example.com"];

/** A client with that status, whose services are reached, but for those with an error. */
const client = (change: Partial<ClientStatus>, errors: Record<string, string> = {}): Probed => ({
  broken: [],
  status: () => ({ ...STATUS, ...change }),
  probe: () =>
    Promise.resolve(["default", "db"].map((name): Probe => {
      const error = errors[name];
      return {
        tenant: name,
        id: "1",
        reached: error === undefined,
        milliseconds: 1,
        ...(error === undefined ? {} : { error }),
      };
    })),
});

test("client readiness: with a tunnel, and each service reached through it", async () => {
  assert.deepEqual(await clientReadiness(client({})), { ready: true, missing: [], endpoints: ENDPOINTS });
});

test("client readiness: without a tunnel it is the reason that is missing", async () => {
  const waiting = { code: "x", reason: "Nothing listens on gw:2222", nextAttempt: null };
  assert.deepEqual((await clientReadiness(client({ tunnel: null, waiting }))).missing, ["Nothing listens on gw:2222"]);
  assert.deepEqual((await clientReadiness(client({ status: "stopping" }))).missing, ["The client is stopping"]);
  assert.deepEqual((await clientReadiness(client({ registration: [tenant("default", null, 1)] }))).missing, [
    "No tenant of this client is registered",
  ]);
});

test("client readiness: each service that is not reached is named, with what it does", async () => {
  const errors = { default: "ECONNREFUSED", db: "connect ETIMEDOUT 10.0.0.1:5432" };
  assert.deepEqual(await clientReadiness(client({}, errors)), {
    ready: false,
    missing: [
      "The tunnel is up, but the service localhost:8080 refuses connections",
      "The tunnel is up, but the service localhost:5432 does not answer",
    ],
    endpoints: ENDPOINTS,
  });
  assert.deepEqual((await clientReadiness(client({}, { db: "the certificate has expired" }))).missing, [
    "The tunnel is up, but the service localhost:5432 cannot be reached: the certificate has expired",
  ]);
});

test("client readiness: a tenant that is left out is missing", async () => {
  const broken = ['The files of tenant "shop" cannot be used: x'];
  assert.deepEqual(await clientReadiness({ ...client({}), broken }), {
    ready: false,
    missing: broken,
    endpoints: ENDPOINTS,
  });
});

test("client readiness: a probe that fails as a whole is no fault", async () => {
  const lost = { ...client({}), probe: () => Promise.reject(new Error("There is no tunnel")) };
  assert.deepEqual((await clientReadiness(lost)).missing, [
    "The tunnel is up, but cannot be probed: There is no tunnel",
  ]);
});
