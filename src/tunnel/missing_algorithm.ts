import type { AlgorithmKind, SshAlgorithms } from "../config/ssh_algorithms.ts";
import { kexInitList } from "./kex_init.ts";

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
 * What is wrong where client and server have no algorithm in common, in words; undefined for an error about something else.
 *
 * @param said the library's words
 * @param theirs the client's KEXINIT
 */
export function missingAlgorithm(said: string, theirs: Buffer, ours: SshAlgorithms): string | undefined {
  const [, list, kind, name] = KINDS.find(([words]) => said.includes(words)) ?? [];
  if (list === undefined || kind === undefined) return undefined;
  const offered = kexInitList(theirs, list).join(", ").replaceAll(/[^\x20-\x7e]/g, "?");
  return `no ${name} in common: the client has ${offered.slice(0, MOST_TOLD) || "none"}; ` +
    `[server.ssh] ${kind} has ${ours[kind].join(", ")}`;
}
