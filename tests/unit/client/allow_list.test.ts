import assert from "node:assert/strict";
import test from "node:test";
import { type HttpRules, httpRules, isServiceAllowed, whyNotAllowed } from "../../../src/client/allow_list.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { parseTenantConfig } from "../../../src/config/tenant_config.ts";
import { localSchema } from "../../../src/config/client_settings.ts";
import { requestFraming } from "../../../src/http/framing.ts";
import { parseRequestHead } from "../../../src/http/head.ts";
import { head } from "../../world/raw_http.ts";

const allow = (text: string) => parseConfig(`[client.allow]\n${text}\n`, "/x/config.toml").client.allow;
const ANY = ["*"];

const isAllowed = (services: string[], host: string, port: number) =>
  isServiceAllowed({ services, methods: ANY, paths: ANY }, { host, port });

test("allow list: by default tenants lead where they say, and nothing is read", () => {
  const by = allow("");
  assert.equal(isServiceAllowed(by, { host: "anything", port: 1 }), true);
  assert.equal(httpRules(by, { methods: undefined, paths: undefined }), undefined);
});

test("allow list: an empty list allows nothing", () => {
  assert.equal(isAllowed([], "localhost", 8080), false);
  const rules = httpRules(allow("methods = []"), { methods: undefined, paths: undefined });
  assert.equal(why("GET / HTTP/1.1", rules as HttpRules), "its method is not allowed");
});

test("allow list: a service is allowed in the words of the list only", () => {
  const services = ["localhost:8080", "10.1.2.3:*", "[::1]:443", "DB.lan:5432"];
  for (
    const [host, port] of [["localhost", 8080], ["LOCALHOST", 8080], ["10.1.2.3", 1], ["::1", 443], ["db.LAN", 5432]]
  ) {
    assert.equal(isAllowed(services, host as string, port as number), true, `${host}:${port}`);
  }
  for (
    const [host, port] of [
      ["localhost", 80],
      ["localhost", 80800],
      ["127.0.0.1", 8080],
      ["localhost.", 8080],
      ["xlocalhost", 8080],
      ["10.1.2.30", 1],
      ["10.1.2", 3],
      ["::1", 444],
      ["::2", 443],
      ["[::1]:443", 1],
      ["10.1.2.3:*", 1],
      ["*", 1],
    ]
  ) assert.equal(isAllowed(services, host as string, port as number), false, `${host}:${port}`);
});

test("allow list: a tenant's own rules come before the client's", () => {
  const by = allow('methods = ["GET"]\npaths = ["/api/"]');
  const rules = (text: string) =>
    httpRules(by, parseTenantConfig(text, "/x/config.toml", "/x", localSchema.parse({})).allow);
  assert.deepEqual(rules(""), { methods: ["GET"], paths: ["/api/"] });
  assert.deepEqual(rules('[allow]\npaths = ["/"]'), { methods: ["GET"], paths: ["/"] });
  assert.equal(rules('[allow]\nmethods = ["*"]\npaths = ["*"]'), undefined);
  assert.throws(() => rules('[allow]\nservices = ["*"]'), {
    code: "config-invalid",
    message: /Unknown key "services"/,
  });
});

for (
  const [setting, told] of [
    ['services = ["localhost"]', /"client.allow.services.0" is "localhost"; wanted HOST:PORT/],
    ['services = ["localhost:0"]', /wanted HOST:PORT/],
    ['services = ["localhost:65536"]', /wanted HOST:PORT/],
    ['services = ["::1:80"]', /wanted HOST:PORT/],
    ['services = "localhost:80"', /wanted a list/],
    ['methods = ["get"]', /wanted a method in capital letters/],
    ['paths = ["api/"]', /wanted the beginning of paths/],
    ['paths = ["/api/../"]', /wanted the beginning of paths/],
    ['paths = ["/api?x"]', /wanted the beginning of paths/],
    ['paths = ["/%61pi"]', /wanted the beginning of paths/],
    ['path = ["/"]', /Unknown key "path" in \[client.allow\]; did you mean "paths"/],
  ] as const
) {
  test(`allow list: ${setting} is refused in words`, () => {
    assert.throws(() => allow(setting), { code: "config-invalid", exitCode: 2, message: told });
  });
}

const RULES: HttpRules = { methods: ["GET", "POST", "OPTIONS"], paths: ["/api/", "/health"] };

function why(line: string, rules = RULES, ...fields: string[]): string | undefined {
  const request = parseRequestHead(Buffer.from(head(line, "Host: x", ...fields), "latin1"));
  return whyNotAllowed(request, requestFraming(request).kind !== "none", rules);
}

test("allow list: a request is allowed by its method and the beginning of its path", () => {
  for (const target of ["/api/", "/api/x", "/api/x/y?z=/../", "/health", "/health/x", "/health?x"]) {
    assert.equal(why(`GET ${target} HTTP/1.1`), undefined, target);
  }
  for (const target of ["/", "/api", "/apix", "/API/x", "/healthz", "/Health", "/x/api/", "/x?/api/"]) {
    assert.equal(why(`GET ${target} HTTP/1.1`), "its path is not allowed", target);
  }
  for (const method of ["DELETE", "get", "GETX", "GE", "HEAD"]) {
    assert.equal(why(`${method} /api/ HTTP/1.1`), "its method is not allowed", method);
  }
});

test("allow list: a path that can be read in two ways is not allowed, wherever it would lead", () => {
  for (const target of ["/api/../api/x", "/api/%2e%2e/admin", "//api/x", "/api/;/x", "/%61pi/x", "/api/%2Fx"]) {
    assert.equal(why(`GET ${target} HTTP/1.1`), "its path can be read in more than one way", target);
  }
});

test("allow list: a target that is no path is not allowed", () => {
  for (const target of ["http://x/api/", "HTTP://x/api/", "*", "x:443", "api/"]) {
    assert.equal(why(`GET ${target} HTTP/1.1`), "its target is no path", target);
  }
  assert.equal(why("OPTIONS * HTTP/1.1"), "its target is no path");
  assert.equal(why("OPTIONS * HTTP/1.1", { ...RULES, paths: ANY }), undefined);
  assert.equal(why("GET * HTTP/1.1", { ...RULES, paths: ANY }), "its target is no path");
});

test("allow list: CONNECT is never allowed", () => {
  for (const target of ["x:443", "/api/"]) {
    assert.equal(why(`CONNECT ${target} HTTP/1.1`, { methods: ANY, paths: ["/"] }), "CONNECT is not allowed");
  }
});

test("allow list: a field that may name another method or path is not allowed where those are limited", () => {
  for (const name of ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override", "X_HTTP_Method_Override"]) {
    assert.match(why("POST /api/ HTTP/1.1", RULES, `${name}: DELETE`) ?? "", /may name another method/, name);
    assert.equal(why("POST /api/ HTTP/1.1", { ...RULES, methods: ANY }, `${name}: DELETE`), undefined);
  }
  for (const name of ["X-Original-URL", "X-Rewrite-Url", "X_ORIGINAL_URL"]) {
    assert.match(why("GET /api/ HTTP/1.1", RULES, `${name}: /admin`) ?? "", /may name another path/, name);
    assert.equal(why("GET /api/ HTTP/1.1", { ...RULES, paths: ANY }, `${name}: /admin`), undefined);
  }
});

test("allow list: WebSocket is the only protocol to switch to", () => {
  const asks = (...fields: string[]) => why("GET /api/ HTTP/1.1", RULES, "Connection: Upgrade", ...fields);
  assert.equal(asks("Upgrade: websocket"), undefined);
  assert.equal(asks("Upgrade: WebSocket"), undefined);
  for (const other of ["h2c", "HTTP/2.0", "TLS/1.0", "websocket, h2c", "h2c, websocket", ""]) {
    assert.match(asks(`Upgrade: ${other}`) ?? "", /another protocol/, other);
  }
  assert.match(asks("Upgrade: websocket", "Upgrade: h2c") ?? "", /another protocol/);
  assert.match(asks("Upgrade: websocket", "Content-Length: 1") ?? "", /another protocol/);
});

test("allow list: a request with two hosts is not allowed", () => {
  assert.equal(why("GET /api/ HTTP/1.1", RULES, "Host: y"), "it names more than one host");
});
