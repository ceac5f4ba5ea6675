import { messageOf, systemCode } from "../error.ts";

/** The kinds of end that a tunnel can have; stable, since metrics carry them. */
export const DISCONNECT_CODES = [
  "stopped",
  "restarted",
  "killed",
  "taken-over",
  "no-sign-of-life",
  "reset",
  "closed",
  "network",
  "protocol",
  "operator",
  "unregistered",
  "settings",
  "other",
] as const;
export type DisconnectCode = typeof DISCONNECT_CODES[number];

/** The two ends of a tunnel, as its causes name them. */
export type Side = "client" | "server";

/** Causes that one side decides; each is told to the other side word for word. */
export const CAUSES = {
  clientStopped: "the client stopped",
  clientKilled: "the client was killed, or its machine went down",
  serverStopped: "the server stopped",
  serverRestarted: "the server was started anew, and the client moved to its new process",
  takenOver: "a newer connection of the same client took over",
  operator: "the server's operator ended it",
  unregistered: "the last of its registrations is gone",
  nothingRegistered: "nothing is registered any more",
  settings: "the settings changed",
  addressChanged: "this machine's address has changed",
} as const;

/**
 * A cause is one sentence, because that is what SSH carries to the other side (RFC 4253, section 11.1) and what people read. Its
 * code is read off its first words, so that both sides come to the same one; here are all first words that there are.
 */
const FIRST_WORDS: readonly [words: string, code: DisconnectCode][] = [
  [CAUSES.clientStopped, "stopped"],
  [CAUSES.serverStopped, "stopped"],
  [CAUSES.serverRestarted, "restarted"],
  [CAUSES.clientKilled, "killed"],
  [CAUSES.takenOver, "taken-over"],
  [CAUSES.operator, "operator"],
  [CAUSES.unregistered, "unregistered"],
  [CAUSES.nothingRegistered, "unregistered"],
  [CAUSES.settings, "settings"],
  ["no sign of life", "no-sign-of-life"],
  ["the server was silent", "no-sign-of-life"],
  ["the connection was reset", "reset"],
  [CAUSES.addressChanged, "network"],
  ["the network failed", "network"],
  ["the connection timed out", "network"],
  ["the SSH protocol was broken", "protocol"],
  ["the client closed the connection", "closed"],
  ["the server closed the connection", "closed"],
];

/** What may stand before the words of the other side. */
const SAID = /^the (client|server) ended it: /;

/** What the other side may be believed to have decided. The rest is told as its words. */
const DECIDED_BY: Record<Side, ReadonlySet<string>> = {
  client: new Set([CAUSES.clientStopped]),
  server: new Set([
    CAUSES.serverStopped,
    CAUSES.serverRestarted,
    CAUSES.takenOver,
    CAUSES.operator,
    CAUSES.unregistered,
  ]),
};

/** Codes that a client's own words may lead to: it cannot speak for the server or its operator. */
const OF_CLIENTS_WORDS: ReadonlySet<DisconnectCode> = new Set([
  "stopped",
  "unregistered",
  "settings",
  "no-sign-of-life",
  "protocol",
]);

/** The code of a cause that this file, or the other side, has put into words. */
export function disconnectCode(cause: string): DisconnectCode {
  const [said, side] = SAID.exec(cause) ?? ["", undefined];
  const words = cause.slice(said.length);
  const code = FIRST_WORDS.find(([first]) => words.startsWith(first))?.[1] ?? (side === undefined ? "other" : "closed");
  return side === "client" && !OF_CLIENTS_WORDS.has(code) ? "closed" : code;
}

/** Characters of a cause at most. */
export const MAX_CAUSE = 256;

/** SSH_DISCONNECT_BY_APPLICATION and the others of RFC 4253, section 11.1, in words. */
export const BY_APPLICATION = 11;
export const PROTOCOL_ERROR = 2;
const REASONS: Record<number, string> = {
  1: "host not allowed to connect",
  2: "protocol error",
  3: "key exchange failed",
  5: "MAC error",
  6: "compression error",
  7: "service not available",
  8: "protocol version not supported",
  9: "host key not verifiable",
  10: "connection lost",
  12: "too many connections",
  13: "authentication cancelled by user",
  14: "no more authentication methods available",
  15: "illegal user name",
};
const BROKEN: ReadonlySet<number> = new Set([2, 3, 5, 6, 8]);

/** The cause of an end that the other side announced. @param description as it came, in any characters and any length */
export function causeSaid(by: Side, reason: number, description: string): string {
  // deno-lint-ignore no-control-regex
  const said = description.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim().slice(0, MAX_CAUSE - 32);
  if (DECIDED_BY[by].has(said)) return said;
  if (said !== "") return `the ${by} ended it: ${said}`;
  if (BROKEN.has(reason)) return `the ${by} ended it: the SSH protocol was broken (${REASONS[reason]})`;
  return `the ${by} ended it: ${REASONS[reason] ?? "no reason given"}`;
}

/** The cause of an end that nobody announced. */
export function closedBy(side: Side): string {
  return `the ${side} closed the connection without a word`;
}

/** @param silent milliseconds since anything came */
export function noSignOfLife(of: Side, silent: number): string {
  return `no sign of life from the ${of} for ${Math.round(silent / 1000)} s`;
}

/** What an error of the connection says in words; one without a code of the system is the SSH library's. */
export function causeOfError(error: unknown): string {
  const code = systemCode(error);
  if (code === "ECONNRESET" || code === "EPIPE" || code === "ECONNABORTED") return `the connection was reset (${code})`;
  if (code === "ETIMEDOUT") return `the connection timed out (${code})`;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return `the network failed (${code})`;
  return `the SSH protocol was broken (${messageOf(error)})`.slice(0, MAX_CAUSE);
}
