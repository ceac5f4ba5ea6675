import { BACKCHANNEL } from "../../tunnel/messages.ts";
import type { SshdAccount } from "../openssh/sshd_account.ts";
import { type CheckItem, ok } from "./check_item.ts";
import { isListed, type SshdSettings } from "./sshd_settings.ts";

/** What sshd's settings are compared with. */
export interface WantedOfSshd {
  readonly account: SshdAccount;
  readonly sshdPort: number;
  readonly backPort: number;
  /** [server.ssh] gatewayPorts */
  readonly gatewayPorts: "no" | "clientspecified";
  /** Reverse ports of all registrations. */
  readonly ports: readonly number[];
  /** How many registrations are those of 0.6.x. */
  readonly legacy: number;
}

/** One setting, and what is right for tunnels. */
type Rule = (sshd: SshdSettings, wanted: WantedOfSshd) => CheckItem;

const RULES: readonly Rule[] = [
  port,
  pubkeyAuthentication,
  authorizedKeysFile,
  permitRootLogin,
  allowedUsers,
  tcpForwarding,
  permitOpen,
  permitListen,
  streamLocalForwarding,
  permitTunnel,
  gatewayPorts,
  clientAlive,
  maxStartups,
  pubkeyAcceptedAlgorithms,
];

/** What of sshd's settings is in the way of tunnels, or lets registered keys do more. */
export function checkSshd(sshd: SshdSettings, wanted: WantedOfSshd): CheckItem[] {
  return RULES.map((rule) => rule(sshd, wanted));
}

/** The value of a setting, in lower case; what OpenSSH takes where it is not given. */
const valueOf = (sshd: SshdSettings, keyword: string, fallback: string) =>
  (sshd.of(keyword)[0] ?? fallback).toLowerCase();

/** All words of a setting that is a list. */
const wordsOf = (sshd: SshdSettings, keyword: string) =>
  sshd.of(keyword).flatMap((value) => value.split(/\s+/)).filter((word) => word !== "");

function port(sshd: SshdSettings, { sshdPort }: WantedOfSshd): CheckItem {
  const ports = [
    ...sshd.of("Port"),
    ...sshd.of("ListenAddress").flatMap((address) => /:(\d+)(?:\s|$)/.exec(address)?.[1] ?? []),
  ];
  if (ports.length === 0 ? sshdPort === 22 : ports.includes(String(sshdPort))) {
    return ok("Port", `sshd listens on port ${sshdPort}`);
  }
  return {
    ...{
      name: "Port",
      state: "failed",
      detail: `sshd listens on port ${ports.join(", ") || 22}, and clients are sent to ${sshdPort}`,
    },
    hint: "Set [server.ssh] sshdPort to sshd's port; a port that is forwarded from elsewhere to it is fine",
  };
}

function pubkeyAuthentication(sshd: SshdSettings): CheckItem {
  const methods = wordsOf(sshd, "AuthenticationMethods");
  if (valueOf(sshd, "PubkeyAuthentication", "yes") !== "yes") {
    return {
      ...{ name: "PubkeyAuthentication", state: "failed", detail: 'It is "no": nobody can log in with a key' },
      line: "PubkeyAuthentication yes",
    };
  }
  if (methods.length > 0 && !methods.includes("any") && !methods.includes("publickey")) {
    return {
      ...{
        name: "AuthenticationMethods",
        state: "failed",
        detail: `It asks for more than a key: ${methods.join(" ")}`,
      },
      line: "AuthenticationMethods publickey",
    };
  }
  return ok("PubkeyAuthentication", "Clients can log in with their keys");
}

function authorizedKeysFile(sshd: SshdSettings, { account }: WantedOfSshd): CheckItem {
  const { name, uid, home, authorizedKeys: file } = account;
  const given = wordsOf(sshd, "AuthorizedKeysFile");
  const patterns = given.length > 0 ? given : [".ssh/authorized_keys", ".ssh/authorized_keys2"];
  const files = patterns.map((pattern) => {
    const path = pattern.replace(
      /%([%huU])/g,
      (_, which: string) => ({ "%": "%", h: home, u: name, U: String(uid) })[which] ?? "",
    );
    return path.startsWith("/") ? path : `${home}/${path}`;
  });
  if (files.includes(file)) return ok("AuthorizedKeysFile", `sshd reads "${file}"`);
  return {
    name: "AuthorizedKeysFile",
    state: "failed",
    detail: `For ${name} sshd reads ${files.join(", ")}, and petit keeps the keys in "${file}"`,
    hint: "Or set [server.ssh] authorizedKeysFile to a file that sshd reads",
    line: `AuthorizedKeysFile ${file} ${patterns.filter((pattern) => pattern !== "none").join(" ")}`.trim(),
  };
}

function permitRootLogin(sshd: SshdSettings, { account: { uid, name } }: WantedOfSshd): CheckItem {
  if (uid !== 0) return ok("PermitRootLogin", `Clients log in as ${name}, not as root`);
  const value = valueOf(sshd, "PermitRootLogin", "prohibit-password");
  const hint = "Better: give tunnels a user of their own, and name it in [server.ssh] sshdUser";
  if (value === "no") {
    const detail = "Clients log in as root, which sshd does not allow";
    return { name: "PermitRootLogin", state: "failed", detail, hint, line: "PermitRootLogin forced-commands-only" };
  }
  return {
    name: "PermitRootLogin",
    state: "warning",
    detail: "Clients log in as root, with no right but their tunnels",
    hint,
  };
}

function allowedUsers(sshd: SshdSettings, { account: { name } }: WantedOfSshd): CheckItem {
  const allowed = wordsOf(sshd, "AllowUsers");
  if (isListed(wordsOf(sshd, "DenyUsers"), name)) {
    return {
      name: "DenyUsers",
      state: "failed",
      detail: `It keeps ${name} out, whom clients log in as`,
      hint: "Take it out there",
    };
  }
  if (allowed.length > 0 && !isListed(allowed, name)) {
    return {
      ...{ name: "AllowUsers", state: "failed", detail: `${name}, whom clients log in as, is not among them` },
      line: `AllowUsers ${[...allowed, name].join(" ")}`,
    };
  }
  const groups = [...wordsOf(sshd, "AllowGroups"), ...wordsOf(sshd, "DenyGroups")];
  if (groups.length === 0) return ok("AllowUsers", `${name} may log in`);
  return {
    name: "AllowGroups",
    state: "warning",
    detail: `Only some groups may log in: see that ${name} is in one of them`,
  };
}

function tcpForwarding(sshd: SshdSettings): CheckItem {
  if (valueOf(sshd, "DisableForwarding", "no") === "yes") {
    const detail = 'It is "yes": no tunnel is possible, whatever AllowTcpForwarding says';
    return { name: "DisableForwarding", state: "failed", detail, line: "DisableForwarding no" };
  }
  const value = valueOf(sshd, "AllowTcpForwarding", "yes");
  if (value === "yes" || value === "all") return ok("AllowTcpForwarding", "Tunnels are allowed, in both directions");
  const lost = value === "local"
    ? "reverse ports are not opened"
    : value === "remote"
    ? "the backchannel is not"
    : "no tunnel is possible";
  return {
    name: "AllowTcpForwarding",
    state: "failed",
    detail: `It is "${value}": ${lost}`,
    line: "AllowTcpForwarding yes",
  };
}

function permitOpen(sshd: SshdSettings, { backPort }: WantedOfSshd): CheckItem {
  const wanted = `${BACKCHANNEL.host}:${backPort}`;
  const given = wordsOf(sshd, "PermitOpen");
  const fits = given.some((one) =>
    ["any", wanted, `${BACKCHANNEL.host}:*`, "*:*", `*:${backPort}`].includes(one.toLowerCase())
  );
  if (given.length === 0 || fits) return ok("PermitOpen", `Clients can reach petit at ${wanted}`);
  const line = `PermitOpen ${[...given.filter((one) => one !== "none"), wanted].join(" ")}`;
  return { name: "PermitOpen", state: "failed", detail: `It keeps clients from petit at ${wanted}`, line };
}

function permitListen(sshd: SshdSettings, { ports }: WantedOfSshd): CheckItem {
  const given = wordsOf(sshd, "PermitListen");
  const allows = (one: string, wanted: number) => {
    const [, host = "*", port = ""] = /^(?:(.*):)?(\d+|\*)$/.exec(one) ?? [];
    return (port === "*" || port === String(wanted)) && ["*", "127.0.0.1", "localhost"].includes(host);
  };
  const missing = given.length === 0 || given.includes("any")
    ? []
    : ports.filter((port) => !given.some((one) => allows(one, port)));
  if (missing.length === 0) return ok("PermitListen", "Reverse ports may be listened on");
  const some = missing.slice(0, 5).join(", ");
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  return {
    ...{ name: "PermitListen", state: "failed", detail: `It keeps sshd from listening on ${some}${more}` },
    ...{
      hint: "petit's lines of keys allow each client its own ports only, so that it need not be limited here",
      line: "PermitListen any",
    },
  };
}

/** permitopen keeps a key from the sockets that there are; no option of its line keeps it from making some (sshd(8)). */
function streamLocalForwarding(sshd: SshdSettings, { account: { name: user, uid } }: WantedOfSshd): CheckItem {
  const value = valueOf(sshd, "AllowStreamLocalForwarding", "yes");
  const name = "AllowStreamLocalForwarding";
  if (value === "no" || value === "local") return ok(name, "Clients cannot make Unix sockets on this machine");
  return {
    ...{ name, state: uid === 0 ? "failed" : "warning" },
    detail:
      `It is "${value}": every client can make Unix sockets wherever ${user} may write, and answer those who call there`,
    hint: "Nothing in a line of authorized_keys can forbid that",
    line: `${name} no`,
  };
}

function permitTunnel(sshd: SshdSettings): CheckItem {
  const value = valueOf(sshd, "PermitTunnel", "no");
  if (value === "no") return ok("PermitTunnel", "Clients cannot open network devices");
  return {
    ...{ name: "PermitTunnel", state: "failed", detail: `It is "${value}": clients can open network devices (tun)` },
    line: "PermitTunnel no",
  };
}

function gatewayPorts(sshd: SshdSettings, { gatewayPorts: ours, legacy }: WantedOfSshd): CheckItem {
  const value = valueOf(sshd, "GatewayPorts", "no");
  const name = "GatewayPorts";
  if (value === "yes") {
    return {
      ...{ name, state: "warning", line: ours === "no" ? "GatewayPorts no" : "GatewayPorts clientspecified" },
      detail: 'It is "yes": every reverse port is open to all who reach this machine, whatever its client asks for',
    };
  }
  if (ours === "clientspecified" && value === "no") {
    return {
      ...{ name, state: "warning", line: "GatewayPorts clientspecified" },
      detail:
        'It is "no", and [server.ssh] gatewayPorts is "clientspecified": reverse ports are reached from this machine only; HTTP is not concerned',
    };
  }
  if (ours === "no" && value === "clientspecified" && legacy > 0) {
    return {
      ...{ name, state: "warning", line: "GatewayPorts no" },
      detail:
        `It is "clientspecified": the reverse ports of ${legacy} clients of petit 0.6, which ask for 0.0.0.0, are open to all who reach this machine`,
    };
  }
  return ok(
    name,
    value === "no"
      ? "Reverse ports are reached from this machine only; HTTP is not concerned"
      : "Reverse ports listen where the client asks",
  );
}

/** Seconds after which a dead tunnel should be gone. */
const DEAD_AFTER = 120;

function clientAlive(sshd: SshdSettings): CheckItem {
  const interval = secondsOf(valueOf(sshd, "ClientAliveInterval", "0"));
  const count = Number(valueOf(sshd, "ClientAliveCountMax", "3"));
  const line = "ClientAliveInterval 15\nClientAliveCountMax 3";
  if (interval === 0 || count === 0) {
    const what = interval === 0 ? "ClientAliveInterval" : "ClientAliveCountMax";
    const detail = `${what} is 0: sshd never notices that a client is gone whose network fails, and keeps its port`;
    return { name: "ClientAliveInterval", state: "warning", detail, line };
  }
  const after = interval * count;
  if (after <= DEAD_AFTER) return ok("ClientAliveInterval", `A dead tunnel ends after ${after} s`);
  return { name: "ClientAliveInterval", state: "warning", detail: `A dead tunnel keeps its port for ${after} s`, line };
}

/** "90", "1m30s", as sshd prints and reads them. */
function secondsOf(text: string): number {
  const units: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return [...text.matchAll(/(\d+)([smhdw]?)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 1),
    0,
  );
}

function maxStartups(sshd: SshdSettings, { ports }: WantedOfSshd): CheckItem {
  const value = valueOf(sshd, "MaxStartups", "10:30:100");
  const begin = Number(value.split(":")[0]);
  if (ports.length <= begin) return ok("MaxStartups", `${begin} clients can log in at the same moment`);
  const most = Math.max(100, Math.min(1000, ports.length));
  return {
    ...{ name: "MaxStartups", state: "warning", line: `MaxStartups ${most}:30:${2 * most}` },
    detail: `It is ${value}: when ${ports.length} clients come back at the same time, many are turned away at first`,
  };
}

function pubkeyAcceptedAlgorithms(sshd: SshdSettings, { legacy }: WantedOfSshd): CheckItem {
  const given = [...sshd.of("PubkeyAcceptedAlgorithms"), ...sshd.of("PubkeyAcceptedKeyTypes")][0];
  const name = "PubkeyAcceptedAlgorithms";
  const adds = given === undefined || /^[+^-]/.test(given);
  const has = (algorithm: string) => given?.replace(/^[+^-]/, "").split(",").includes(algorithm) === true;
  const isTakenAway = given?.startsWith("-") === true && has("ssh-ed25519");
  if (isTakenAway || (!adds && !has("ssh-ed25519"))) {
    return {
      name,
      state: "failed",
      detail: "It does not let in keys of ed25519, which petit's clients have",
      line: `${name} +ssh-ed25519`,
    };
  }
  const letsSha1 = given?.startsWith("-") !== true && has("ssh-rsa");
  if (legacy > 0 && !letsSha1) {
    return {
      ...{ name, state: "failed", line: `${name} +ssh-rsa` },
      detail:
        `${legacy} registrations are those of clients of petit 0.6, which sign with RSA and SHA-1 only: sshd does not let them in`,
      hint: "SHA-1 is broken: take the line out again when they have been upgraded",
    };
  }
  if (legacy === 0 && letsSha1) {
    return {
      ...{
        name,
        state: "warning",
        detail: "It lets in keys that sign with SHA-1, which no client of this server needs",
      },
      hint: "Take ssh-rsa out there",
    };
  }
  return ok(name, "The keys of all clients are let in");
}
