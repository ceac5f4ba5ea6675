import { z } from "zod";
import { addressRanges, certificateNames, credentialField, requirements } from "./access_values.ts";
import { plainPath } from "../plain_path.ts";
import { algorithmList, MODERN } from "./ssh_algorithms.ts";
import { duration, port, size } from "./units.ts";

/**
 * Every setting there is: the type that is accepted, the default, and the sentence that `petit server init` and
 * `petit client init` write above it. Units are part of the value ("5s", "64KiB") and named in the sentence.
 */

/** A setting with its default and its documentation. */
function setting<T extends z.ZodType>(schema: T, fallback: z.input<T>, doc: string): z.ZodPrefault<T> {
  return schema.prefault(fallback).meta({ doc, fallback });
}

const text = () => z.string("wanted a string in quotes");
const printable = () => text().regex(/^[^\x00-\x1f\x7f-\x9f]*$/, "wanted a text without control characters");
const host = () => printable().min(1, "wanted a host name or address");
const flag = () => z.boolean("wanted true or false, without quotes");
const oneOf = <const T extends [string, ...string[]]>(...values: T) =>
  z.enum(values, `wanted ${values.map((value) => `"${value}"`).join(" or ")}`);
const logLevel = () => oneOf("trace", "debug", "info", "warn", "error", "silent");

/** A path; one that starts with "./" or "../" is relative to the config file. */
const path = () => text().min(1, "wanted a path");

const count = () => {
  const wanted = "wanted a whole number from 1 to 1000000";
  return z.int(wanted).min(1, wanted).max(1_000_000, wanted);
};

/** Settings that both daemons have; the ports are those of 0.6.x. */
const daemonSettings = (role: "server" | "client", ports: { readonly listen: number; readonly api: number }) => ({
  listenPort: setting(port(), ports.listen, "Port for commands (STATUS, STOP, …), on 127.0.0.1 only"),
  listenSocket: setting(
    text(),
    `./${role}.sock`,
    'Unix socket for the same commands, which only this user can reach; "" is none, and so it is on Windows',
  ),
  apiPort: setting(port(), ports.api, "Port of the REST API, on 127.0.0.1 only"),
  localAccess: setting(
    oneOf("read", "all", "none"),
    "read",
    'What every user of this machine may do without the token, on the ports for commands and REST: "read" sees what 0.6.x shows, "all" also gives commands such as STOP, as with 0.6.x, "none" does nothing',
  ),
  strictModes: setting(
    flag(),
    true,
    "Whether the daemon refuses to start with a folder or config that other users can write, as sshd does",
  ),
  drainFor: setting(
    duration(0),
    "30s",
    "How long requests and connections in progress may go on when the daemon is asked to stop",
  ),
  logLevel: setting(logLevel(), "info", "How much is logged: trace, debug, info, warn, error or silent"),
  logFolder: setting(text(), "./logs", 'Folder of the log files; "" keeps none'),
  logMaxSize: setting(size(), "10MiB", "Size at which a log file is put away and a new one begun"),
  logMaxFiles: setting(
    z.int("wanted a whole number from 1 to 1000").min(1).max(1000),
    5,
    "How many log files that were put away are kept",
  ),
});

const listenHost = '"*" is every address of this machine, "127.0.0.1" this machine alone';

/** Algorithms, under OpenSSH's names; new connections follow a reload. */
const algorithmSettings = {
  kexAlgorithms: setting(
    algorithmList("kexAlgorithms"),
    [...MODERN.kexAlgorithms],
    'How keys may be agreed on, best first, as in OpenSSH; a "+" before each name, as in ["+ecdh-sha2-nistp256"], adds to the default',
  ),
  ciphers: setting(algorithmList("ciphers"), [...MODERN.ciphers], "How tunnels may be encrypted"),
  macs: setting(
    algorithmList("macs"),
    [...MODERN.macs],
    "How messages are authenticated where the cipher does not do that",
  ),
  hostKeyAlgorithms: setting(
    algorithmList("hostKeyAlgorithms"),
    [...MODERN.hostKeyAlgorithms],
    "How the server may prove with its host key who it is",
  ),
  pubkeyAcceptedAlgorithms: setting(
    algorithmList("pubkeyAcceptedAlgorithms"),
    [...MODERN.pubkeyAcceptedAlgorithms],
    "How clients may sign with their keys",
  ),
};

/** As OpenSSH's RekeyLimit, which both ends look after. */
const rekeySettings = {
  rekeyLimit: setting(
    size().refine((bytes) => bytes === 0 || bytes >= 1024 ** 2, 'wanted "0B", or "1MiB" and more'),
    "1GiB",
    'How much may go through a tunnel, in both directions together, before keys are exchanged anew; "0B" leaves that to the other end',
  ),
  rekeyInterval: setting(
    duration(0).refine((milliseconds) => milliseconds === 0 || milliseconds >= 1000, 'wanted "0s", or "1s" and more'),
    "1h",
    'How old the keys of a tunnel may become; "0s" leaves that to the other end',
  ),
};

const serverSsh = z.strictObject({
  listenHost: setting(text(), "*", `Address on which clients are accepted; ${listenHost}`),
  port: setting(port(), 2222, "Port on which clients are accepted"),
  hostKey: setting(path(), "./ssh_host_ed25519_key", "File with the private host key (OpenSSH format); made by init"),
  gatewayPorts: setting(
    oneOf("no", "clientspecified"),
    "no",
    'Where reverse ports listen, as in OpenSSH: "no" always on 127.0.0.1; "clientspecified" on the address that the client asks for',
  ),
  maxTunnels: setting(
    count(),
    20_000,
    "How many connections of clients may be open at the same time, those that are not logged in included",
  ),
  maxChannels: setting(
    count(),
    1000,
    "How many requests and connections of callers may be open in one tunnel; 2 MiB of memory may wait for each, at both ends",
  ),
  maxPendingOpens: setting(
    count(),
    500,
    "How many of them may wait for the client to reach its service",
  ),
  loginGraceTime: setting(duration(), "30s", "How long a connection may take to log in"),
  ...algorithmSettings,
  ...rekeySettings,
  maxStartups: setting(
    count(),
    2000,
    "How many connections may be open that are not logged in; as many again from addresses with a client that logged in within the last hour",
  ),
  perSourceMaxStartups: setting(count(), 1000, "How many of them may come from the same address"),
  perSourceNetBlockSize: setting(
    text().regex(
      /^(?:[1-9]|[12]\d|3[0-2]):(?:[1-9]|[1-9]\d|1[01]\d|12[0-8])$/,
      'wanted two numbers of bits, of IPv4 and of IPv6, such as "32:64"',
    ),
    "32:64",
    "How many bits of an IPv4 and of an IPv6 address make one address for these limits",
  ),
  perSourcePenalty: setting(
    duration(0),
    "5s",
    'How long a failed login weighs on its address, a wrong join code four times as long; "0s" throttles no logins',
  ),
  perSourcePenaltyMin: setting(
    duration(0),
    "100s",
    "How much of that an address may gather before its connections are closed at once, until enough time has passed; addresses with clients have more, and those that are connected stay",
  ),
  perSourcePenaltyExemptList: setting(
    addressRanges(),
    [],
    "Addresses or CIDR ranges whose failed logins do not count, such as a load balancer in front of the gateway",
  ),
  maxFailedLogins: setting(
    count(),
    40,
    "How many logins a second may fail altogether, before connections from addresses without a client are closed at once",
  ),
  clientAliveInterval: setting(
    duration(0),
    "4s",
    'How long a tunnel may be silent in either direction before its client is asked for a sign of life; "0s" never asks',
  ),
  clientAliveCountMax: setting(
    z.int("wanted a whole number from 1 to 100").min(1).max(100),
    1,
    "How many questions in a row may go unanswered; a tunnel counts as lost one interval after the last of them",
  ),
});

const serverVitae = z.strictObject({
  environment: setting(text(), "local", "Name of this installation, told to clients"),
  endpoint: setting(
    text(),
    "http://REGID.localhost:8090",
    "URL under which callers reach a registration; REGID stands for its id",
  ),
});

const serverAccess = z.strictObject({
  allow: setting(
    addressRanges(),
    [],
    'Addresses or CIDR ranges that requests may come from, as trustedProxies tell it; none is every address. These are the defaults: "petit server access" sets them for single registrations',
  ),
  require: setting(
    requirements(),
    [],
    'What a request has to show: "bearer" a token, "basic" a user name and password, where both are named either of them; "certificate" a client certificate, besides; none is nothing',
  ),
  certificates: setting(
    certificateNames(),
    [],
    'Client certificates that are let in: their common name, a DNS name or e-mail address in them, or "sha256:" and their fingerprint; none is all that clientCa has signed',
  ),
  clientCa: setting(
    text(),
    "",
    'File with the certificates (PEM) that client certificates may be signed by; watched; "" asks nobody for one',
  ),
  stripCredentials: setting(flag(), true, "Whether what a request has shown is kept from the service"),
  credentialField: setting(
    credentialField(),
    "authorization",
    'The field that tokens and passwords come in; another one, such as "x-petit-authorization", leaves Authorization to the service',
  ),
  rawAllow: setting(
    addressRanges(),
    [],
    "Addresses or CIDR ranges that connections to reverse ports may come from; none is every address that reaches them",
  ),
  maxRawCallers: setting(count(), 1000, "How many connections one reverse port may have at the same time"),
});

const server = z.strictObject({
  publicHost: setting(
    printable(),
    "localhost",
    "Name or address of this machine as clients reach it; it becomes part of every join code",
  ),
  proxyHost: setting(text(), "*", `Address of the HTTP proxy; ${listenHost}`),
  proxyPort: setting(port(), 8090, "Port of the HTTP proxy"),
  secureProxyHost: setting(text(), "*", "Address of the HTTPS proxy"),
  secureProxyPort: setting(port(), 8453, "Port of the HTTPS proxy; open only while the certificates are there"),
  certificates: setting(
    path(),
    "./certificates",
    "Folder with server.key, server.crt and (optional) ca.bundle, in PEM; watched, a renewed certificate is used at once",
  ),
  registration: setting(
    oneOf("join", "open", "closed"),
    "join",
    'Who may register: "join" whoever has a join code, "open" anyone, "closed" nobody',
  ),
  registryUrl: setting(
    text().startsWith("sqlite:", 'wanted "sqlite:" and a path, such as "sqlite:./registry.db"'),
    "sqlite:./registry.db",
    "Where registrations are kept",
  ),
  firstReversePort: setting(
    port().min(1024, "wanted a port, a whole number from 1024 to 65535"),
    11081,
    "First reverse port; each new registration is given the next one that is free",
  ),
  trustedProxies: setting(
    addressRanges(),
    [],
    "Load balancers, as a list of addresses or CIDR ranges, whose X-Forwarded-* and Forwarded fields are believed and extended; X-Forwarded-For wins where they differ",
  ),
  holdFor: setting(
    duration(0),
    "5s",
    'How long requests and connections wait for a client that is away, before they are refused; "0s" refuses them at once, and closes the reverse port',
  ),
  keepPortFor: setting(
    duration(0),
    "30s",
    "How long the reverse port of a client that is away stays open, for callers to wait on; afterwards connections are refused until the client is back",
  ),
  maxHeld: setting(count(), 5000, "How many requests and connections may wait for clients at the same time"),
  maxHeldPerRegistration: setting(count(), 1000, "How many of them may wait for the same registration"),
  maxHeldSize: setting(size(), "64MiB", "How much memory the requests that wait may take"),
  serviceTimeout: setting(duration(), "60s", "How long a service may take to begin its answer"),
  openTimeout: setting(duration(), "15s", "How long a client may take to reach its service"),
  headTimeout: setting(duration(), "30s", "How long a caller may take to send the head of a request"),
  idleTimeout: setting(duration(), "75s", "How long a caller's connection is kept open between two requests"),
  answerTimeout: setting(
    duration(0),
    "15m",
    'How long an answer that has begun may make no progress, neither from the service nor to the caller; "0s" is for ever',
  ),
  requestTimeout: setting(
    duration(0),
    "24h",
    'How long a request may take altogether, its body and its answer included; "0s" is for ever',
  ),
  connectionTimeout: setting(
    duration(0),
    "0s",
    'How long a connection to a reverse port, a WebSocket or another upgraded connection may be silent in both directions; "0s" is for ever',
  ),
  maxCallers: setting(count(), 20_000, "How many connections callers may have open at the same time, on all ports"),
  maxCallersPerAddress: setting(
    count(),
    5000,
    "How many of them may come from the same address (IPv6: the same /64), trustedProxies excepted",
  ),
  maxHeadSize: setting(size(), "64KiB", "Largest head of a request or answer"),
  maxBodySize: setting(size(), "0B", 'Largest body of a request; "0B" is any size: nothing of it is kept in memory'),
  probeInterval: setting(
    duration(0),
    "1m",
    'How old the last sign of a service may be before it is probed, where its client says how; "0s" never probes for that',
  ),
  accessLog: setting(
    oneOf("off", "combined", "json"),
    "off",
    'Log of all requests of callers, logs/access.log: "combined" as web servers write it, "json" one object a line',
  ),
  usageUrl: setting(
    text().refine((url) => url === "" || url.startsWith("sqlite:"), 'wanted "sqlite:" and a path, or ""'),
    "sqlite:./usage.db",
    'Where the usage record is kept; "" keeps none',
  ),
  usageBucket: setting(duration(1000), "5m", "Length of a time bucket of the usage record"),
  usageRetention: setting(duration(1000, 3660 * 24 * 3_600_000), "90d", "How long the usage record is kept"),
  auditUrl: setting(
    text().refine((url) => url === "" || url.startsWith("sqlite:"), 'wanted "sqlite:" and a path, or ""'),
    "sqlite:./audit.db",
    'Where the audit log is kept: logins, refusals and changes, chained by hashes; "" keeps none',
  ),
  auditRetention: setting(
    duration(1000, 36_600 * 24 * 3_600_000),
    "730d",
    "How long entries of the audit log are kept",
  ),
  ...daemonSettings("server", { listen: 3016, api: 8101 }),
  vitae: serverVitae.prefault({}),
  ssh: serverSsh.prefault({}),
  access: serverAccess.prefault({}),
});

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

const clientVitae = z.strictObject({
  brand: setting(text(), "ce", "Whose client this is, told to the server"),
  bundle: setting(text(), "", "Name of the bundle this client was installed from, told to the server"),
});

const client = z.strictObject({
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

export const configSchema = z.strictObject({ server: server.prefault({}), client: client.prefault({}) });

/** Everything that can be set, with defaults filled in: durations in milliseconds, sizes in bytes, paths absolute. */
export type Config = z.output<typeof configSchema>;
export type ServerConfig = Config["server"];
export type AccessConfig = ServerConfig["access"];
export type ClientConfig = Config["client"];
/** What users of this machine who have no token may ask of a daemon. */
export type LocalAccess = ServerConfig["localAccess"];

/** The sections of the config file, in the order in which they are written. */
export const sections: Record<"server" | "client", [name: string, shape: Record<string, z.ZodType>][]> = {
  server: [
    ["server", server.shape],
    ["server.access", serverAccess.shape],
    ["server.ssh", serverSsh.shape],
    ["server.vitae", serverVitae.shape],
  ],
  client: [
    ["client", client.shape],
    ["client.local", localSchema.shape],
    ["client.allow", allowSchema.shape],
    ["client.vitae", clientVitae.shape],
  ],
};
