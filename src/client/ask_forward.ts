import { PetitError } from "../error.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import type { BackchannelEnd } from "./backchannel_end.ts";
import { AT_LEGACY, refusedBySshd } from "./refused_by_sshd.ts";
import { releasePort } from "./release_port.ts";

/** Of SSH_MSG_REQUEST_FAILURE, which carries nothing (RFC 4254, section 4). */
const NO_WHY = "it does not say why";

/**
 * Asks for the forward of a registration. A sshd may hold the port for an older connection of this client: the port belongs to the key, and a petit
 * behind it sees to that.
 *
 * @throws PetitError `forward-refused`, or as `BackchannelEnd.ask`
 */
export async function askForward(
  { connection, backchannel }: { connection: SshClientConnection; backchannel: BackchannelEnd },
  { id, port, address }: { id: string; port: number; address: string },
): Promise<void> {
  const { legacy, throughSshd } = backchannel;
  try {
    await connection.forward(address, port);
  } catch (error) {
    if (!isRefused(error)) throw error;
    if (legacy) throw refusedBySshd(port, address, NO_WHY, error, AT_LEGACY);
    if (!throughSshd) throw error;
    await releasePort(backchannel, id, port, address);
    await connection.forward(address, port).catch((again) => {
      throw refusedBySshd(port, address, NO_WHY, again);
    });
  }
  // So that the server looks at once for what sshd does not tell it.
  if (throughSshd) await backchannel.ask({ type: "ping1" }, "didPing1");
}

function isRefused(error: unknown): boolean {
  return error instanceof PetitError && error.code === "forward-refused";
}
