import { PetitError } from "../error.ts";

const AT_PETIT =
  'Ask the server\'s operator what "petit server check" says of AllowTcpForwarding, PermitListen and GatewayPorts, and whether another program has that port';

/** A server of 0.6.x has no command for that, and frees no port. */
export const AT_LEGACY =
  "Ask the server's operator to look at AllowTcpForwarding, PermitListen, GatewayPorts and ClientAliveInterval in its sshd_config (without the last, sshd holds the port for a " +
  "connection that is dead), at permitlisten in its authorized_keys, and at whether another program has that port";

/**
 * The error of a forward that another SSH server than petit's refuses.
 *
 * @param why in words
 * @param hint what to look at there
 */
export function refusedBySshd(port: number, address: string, why: string, cause: unknown, hint = AT_PETIT): PetitError {
  return new PetitError(
    "forward-refused",
    `The server's sshd refuses to listen on ${address}:${port} for this client: ${why}`,
    { hint, cause },
  );
}
