import { PetitError } from "../error.ts";
import type { BackchannelEnd } from "./backchannel_end.ts";
import { refusedBySshd } from "./refused_by_sshd.ts";

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
