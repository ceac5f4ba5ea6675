import type { AlgorithmKind, SshAlgorithms } from "../config/ssh_algorithms.ts";
import type { ConnectionInternals } from "./ssh_library.ts";

/** SSH_MSG_KEXINIT (RFC 4253, section 7.1): type, cookie of 16 bytes, and lists of names. */
const KEXINIT = 20;
const LISTS_AT = 17;
/** The longest list that is told, in characters. */
const MOST_TOLD = 400;

/** What the library says of it, the list of KEXINIT that it is about, the setting, and what people call it. */
const KINDS: readonly [said: string, list: number, kind: AlgorithmKind, name: string][] = [
  ["no matching key exchange algorithm", 0, "kexAlgorithms", "key exchange"],
  ["no matching host key format", 1, "hostKeyAlgorithms", "host key algorithm"],
  ["no matching C->S cipher", 2, "ciphers", "cipher"],
  ["no matching S->C cipher", 3, "ciphers", "cipher"],
  ["no matching C->S MAC", 4, "macs", "MAC"],
  ["no matching S->C MAC", 5, "macs", "MAC"],
];

/**
 * Server: watches for the client's first KEXINIT, to be able to say what was missing where the two have no algorithm in common.
 *
 * @param connection the library's Connection, before it has received anything
 * @returns what is wrong in words, given an error of the library; undefined for errors of other kinds
 */
export function watchOffer(connection: object, ours: SshAlgorithms): (error: Error) => string | undefined {
  const decipher = (connection as ConnectionInternals)._protocol._decipher as
    | { _onPayload: (payload: Buffer) => unknown }
    | undefined;
  let theirs: Buffer | undefined;
  const library = decipher?._onPayload;
  if (decipher !== undefined && library !== undefined) {
    decipher._onPayload = (payload) => {
      if (payload[0] !== KEXINIT) return library(payload);
      theirs = payload;
      // It lies in the memory of the packet: the library throws, or goes on, before that is used again.
      const result = library(payload);
      theirs = undefined;
      return result;
    };
  }
  return (error) => theirs && missingAlgorithm(error.message, theirs, ours);
}

/** @param theirs the client's KEXINIT */
export function missingAlgorithm(said: string, theirs: Buffer, ours: SshAlgorithms): string | undefined {
  const [, list, kind, name] = KINDS.find(([words]) => said.includes(words)) ?? [];
  if (list === undefined || kind === undefined) return undefined;
  // deno-lint-ignore no-control-regex
  const offered = (listOf(theirs, list) ?? "").replaceAll(/[^\x21-\x7e]/g, "?").replaceAll(",", ", ");
  return `no ${name} in common: the client has ${offered.slice(0, MOST_TOLD) || "none"}; ` +
    `[server.ssh] ${kind} has ${ours[kind].join(", ")}`;
}

function listOf(payload: Buffer, index: number): string | undefined {
  let at = LISTS_AT;
  for (let skipped = 0;; skipped++) {
    if (at + 4 > payload.length) return undefined;
    const length = payload.readUInt32BE(at);
    if (skipped === index) return payload.toString("latin1", at + 4, Math.min(at + 4 + length, payload.length));
    at += 4 + length;
  }
}
