import type { SshAlgorithms } from "../config/ssh_algorithms.ts";
import { guessFollows, KEXINIT, kexInitList } from "./kex_init.ts";
import { missingAlgorithm } from "./missing_algorithm.ts";
import type { ConnectionInternals } from "./ssh_library.ts";

type Protocol = ConnectionInternals["_protocol"];

/**
 * Server: looks at each KEXINIT of the client, for two things that the library does not do.
 *
 * A client may send the first message of the key exchange that it guesses will be agreed on right behind its KEXINIT, as dropbear does. The library compares
 * the guess with the first letter of what it has agreed on, and always drops that message: both sides would wait for ever.
 *
 * And where the two have no algorithm in common, it does not say what was missing.
 *
 * @param connection the library's Connection, before it has received anything
 * @returns what is wrong in words, given an error of the library; undefined for errors of other kinds
 */
export function watchClientOffer(connection: object, ours: SshAlgorithms): (error: Error) => string | undefined {
  const { _protocol: protocol } = connection as ConnectionInternals;
  let theirs: Buffer | undefined;
  const watching = (library: (payload: Buffer) => number | boolean | undefined) => (payload: Buffer) => {
    if (payload[0] !== KEXINIT) return library(payload);
    // It lies in the memory of its packet, and stays there until the library has dealt with it: also where that ends with an error.
    theirs = payload;
    const result = library(payload);
    if (guessFollows(payload)) protocol._skipNextInboundPacket = !isRight(payload, protocol);
    theirs = undefined;
    return result;
  };
  // The first one; all others come to the deciphers that are made from now on.
  const decipher = protocol._decipher as { _onPayload: Protocol["_onPayload"] };
  decipher._onPayload = watching(decipher._onPayload);
  protocol._onPayload = watching(protocol._onPayload);
  return (error) => theirs && missingAlgorithm(error.message, theirs, ours);
}

/** RFC 4253, section 7: both sides have to prefer the same key exchange and the same host key algorithm. */
function isRight(theirs: Buffer, { _offer: { lists } }: Protocol): boolean {
  return kexInitList(theirs, 0)[0] === lists.kex.array[0] &&
    kexInitList(theirs, 1)[0] === lists.serverHostKey.array[0];
}
