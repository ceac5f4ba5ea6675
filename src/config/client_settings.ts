import { z } from "zod";
import { DEFAULT_BRAND } from "../default_brand.ts";
import { plainPath } from "../plain_path.ts";
import { daemonSettings, rekeySettings } from "./daemon_settings.ts";
import { flag, host, oneOf, setting, text } from "./setting.ts";
import { duration, port } from "./units.ts";

/** The private service of one tenant: [client.local], and [local] of a tenant's own file. */
export const localSchema = z.strictObject({
  host: setting(host(), "localhost", "Host of the private service"),
  port: setting(port().min(1, "wanted a port, a whole number from 1 to 65535"), 8080, "Port of the private service"),
  tls: setting(flag(), false, "Whether the service speaks TLS"),
  tlsVerify: setting(flag(), true, "Whether the certificate of a TLS service is verified against the host name"),
  tlsCa: setting(
    text(),
    "",
    'File with the certificates (PEM) that a TLS service may be signed by; "" is those that the world trusts',
  ),
  probe: setting(
    text().max(256, "wanted a shorter path").regex(
      /^(?:none|connect|mysql|postgresql|tds|\/[\x21-\x7e]*)$/,
      'wanted "none", "connect", "mysql", "postgresql", "tds" or a path that begins with "/"',
    ),
    "connect",
    'How the server sees whether the service is well: "connect" by a connection, "mysql", "postgresql" and "tds" (SQL Server) by the database\'s greeting, a path such as "/health" by a GET of it; "none" by its callers only',
  ),
});

/** A list of what is allowed; "*" in it is anything, and an empty one nothing. */
const allowed = (member: z.ZodString, example: string) => z.array(member, `wanted a list, such as ${example}`);

const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[^\s\p{Cc}:/[\]*]{1,253}):(?:\*|[1-9]\d{0,4})$/u;

const serviceAddress = () =>
  text().refine(
    (value) => value === "*" || (HOST_AND_PORT.test(value) && !(Number(/\d+$/.exec(value)?.[0] ?? 0) > 65535)),
    'wanted HOST:PORT, such as "localhost:8080", "10.1.2.3:*" or "[::1]:443", or "*" for any',
  );

const method = () =>
  text().regex(/^(?:\*|[A-Z][A-Z-]{0,31})$/, 'wanted a method in capital letters, such as "GET", or "*" for any');

const pathPrefix = () =>
  text().refine(
    (value) => value === "*" || plainPath(value) === value,
    'wanted the beginning of paths, such as "/api/", without ".", "..", ";" or what need not be percent-encoded, or "*" for any',
  );

/** What callers may reach: [client.allow]. The server is not asked, and cannot change it. */
export const allowSchema = z.strictObject({
  services: setting(
    allowed(serviceAddress(), '["localhost:8080"]'),
    ["*"],
    'Services that tenants may lead to, as "HOST:PORT" in the words of [local], with "*" for any port; ["*"] is whatever the tenants say, [] is none',
  ),
  methods: setting(
    allowed(method(), '["GET", "HEAD"]'),
    ["*"],
    'Methods that HTTP services may be called with; ["*"] is any. With a list here or in paths, all that is not HTTP/1 is refused',
  ),
  paths: setting(
    allowed(pathPrefix(), '["/api/", "/health"]'),
    ["*"],
    'Paths that HTTP services may be called with: "/api/" is all below it, "/health" that path and what is below it; ["*"] is any. That of a probe has to be among them. Paths that can be read in two ways are refused',
  ),
});

export const clientVitae = z.strictObject({
  brand: setting(text(), DEFAULT_BRAND, "Whose client this is, told to the server"),
  bundle: setting(text(), "", "Name of the bundle this client was installed from, told to the server"),
});

/** [client] */
export const client = z.strictObject({
  host: setting(
    host(),
    "localhost",
    "Name or address of the server; set by the join code",
  ),
  port: setting(
    port().min(1, "wanted a port, a whole number from 1 to 65535"),
    2222,
    "Port of the server's SSH gateway; set by the join code",
  ),
  backPort: setting(
    port().min(1, "wanted a port, a whole number from 1 to 65535"),
    3014,
    "Port of the server's backchannel where its SSH server is not petit's: plain TCP with a server of petit 0.6",
  ),
  username: setting(
    text().min(1, "wanted a user name"),
    "petit",
    "User name at the gateway; the key decides, not the name",
  ),
  bindAddr: setting(text(), "127.0.0.1", "Address on which the server is asked to open this client's reverse port"),
  connectTimeout: setting(duration(), "15s", "How long connecting to the server, or to the service, may take"),
  serverAliveInterval: setting(
    duration(0),
    "4s",
    'How long the tunnel may be silent in either direction before the server is asked for a sign of life; "0s" never asks',
  ),
  serverAliveCountMax: setting(
    z.int("wanted a whole number from 1 to 100").min(1).max(100),
    1,
    "How many questions in a row may go unanswered; the tunnel counts as lost one interval after the last of them",
  ),
  ...rekeySettings,
  reconnectDelayMax: setting(
    duration(),
    "30s",
    "Longest wait between two attempts to reach the server; the first is 1s",
  ),
  inboundLog: setting(
    oneOf("on", "off"),
    "on",
    'Log of all connections that come in through the tunnel, inbound.log in the folder of the log files: "on" or "off"',
  ),
  ...daemonSettings("client", { listen: 3015, api: 8100 }),
  vitae: clientVitae.prefault({}),
  local: localSchema.prefault({}),
  allow: allowSchema.prefault({}),
});
