import { z } from "zod";
import { addressRanges, certificateNames, credentialField, requirements } from "./access_values.ts";
import { daemonSettings, rekeySettings } from "./daemon_settings.ts";
import { count, flag, oneOf, path, printable, setting, text } from "./setting.ts";
import { algorithmList, MODERN } from "./ssh_algorithms.ts";
import { duration, port, size } from "./units.ts";

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

/** Where the system's sshd terminates the tunnels; each is for mode = "openssh" only. */
const opensshSettings = {
  sshdPort: setting(
    port(),
    22,
    'Port of the system\'s sshd, where clients connect; this and the next four are for mode = "openssh"',
  ),
  sshdUser: setting(
    printable(),
    "",
    'User that clients log in as there; "" is the one that the server runs as',
  ),
  authorizedKeysFile: setting(
    path(),
    "~/.ssh/authorized_keys",
    "File in which the server keeps a line for the key of each registration; ~ is the home of that user. Lines of others are left as they are",
  ),
  sshdHostKeys: setting(
    path(),
    "/etc/ssh/ssh_host_*_key.pub",
    "Public host keys of the system's sshd, which clients are told when they register; * stands for any part of a file's name",
  ),
  sshdConfig: setting(path(), "/etc/ssh/sshd_config", 'Its config file, for "petit server check"'),
};

export const serverSsh = z.strictObject({
  mode: setting(
    oneOf("embedded", "openssh"),
    "embedded",
    'Who terminates the tunnels: "embedded" this server; "openssh" the system\'s sshd, and this server only takes registrations on its own port',
  ),
  listenHost: setting(text(), "*", `Address on which clients are accepted; ${listenHost}`),
  port: setting(port(), 2222, "Port on which clients are accepted"),
  hostKey: setting(path(), "./ssh_host_ed25519_key", "File with the private host key (OpenSSH format); made by init"),
  gatewayPorts: setting(
    oneOf("no", "clientspecified"),
    "no",
    'Where reverse ports listen, as in OpenSSH: "no" always on 127.0.0.1; "clientspecified" on the address that the client asks for. With mode = "openssh" it says what the lines of keys permit, and sshd\'s own GatewayPorts decides besides',
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
  ...opensshSettings,
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
    "How many logins a second may fail altogether, before those from addresses without a client have to wait, or are closed at once",
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

export const serverVitae = z.strictObject({
  environment: setting(text(), "local", "Name of this installation, told to clients"),
  endpoint: setting(
    text(),
    "http://REGID.localhost:8090",
    "URL under which callers reach a registration; REGID stands for its id",
  ),
});

export const serverAccess = z.strictObject({
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

/** [server] */
export const server = z.strictObject({
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
  legacyBackchannel: setting(
    flag(),
    false,
    "Whether clients of petit 0.6 are served: backPort is open to them, and they may log in with SHA-1 signatures and older algorithms",
  ),
  backHost: setting(
    text(),
    "",
    'Address of the backchannel outside of SSH, which clients of petit 0.6 need, and those that log in to the system\'s sshd; "" is every address where legacyBackchannel is true, and "127.0.0.1" otherwise',
  ),
  backPort: setting(
    port(),
    3014,
    'Port of that backchannel; closed unless legacyBackchannel is true, or [server.ssh] mode is "openssh"',
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
