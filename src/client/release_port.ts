import { PetitError } from "../error.ts";
import type { BackchannelEnd } from "./backchannel_end.ts";

/**
 * Has the server end what still holds the port of a registration at its sshd: an older connection of this client.
 *
 * @throws PetitError `forward-refused` with the reason why it is held still, and as `ask`
 */
export async function releasePort(
  backchannel: BackchannelEnd,
  id: string,
  port: number,
  address: string,
): Promise<void> {
  try {
    await backchannel.ask({ type: "release1", registeredId: id }, "didRelease1");
  } catch (error) {
    if (error instanceof PetitError && error.code === "port-held") {
      throw refusedBySshd(port, address, error.message, error);
    }
    throw error;
  }
}

/** @param why in words */
export function refusedBySshd(port: number, address: string, why: string, cause: unknown): PetitError {
  return new PetitError(
    "forward-refused",
    `The server's sshd refuses to listen on ${address}:${port} for this client: ${why}`,
    {
      hint:
        'Ask the server\'s operator what "petit server check" says of AllowTcpForwarding, PermitListen and GatewayPorts, and whether another program has that port',
      cause,
    },
  );
}
