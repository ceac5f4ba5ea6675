import { Buffer } from "node:buffer";
import { HANDSHAKE_VERSION, PROOF_NAMESPACE } from "../tunnel/messages.ts";
import { signMessage } from "../tunnel/sshsig.ts";
import type { Backchannel } from "./backchannel.ts";
import { ownKey } from "./state.ts";

/**
 * Proves this client's key on a backchannel that knows nothing of its login, since it came through another SSH server than petit's.
 *
 * @param folder the folder with the key
 * @throws PetitError `identity-unproven`, and as `Backchannel.ask` and `ownKey`
 */
export async function proveKey(backchannel: Backchannel, folder: string): Promise<void> {
  const { privatePem, publicKey } = ownKey(folder);
  const { prompt } = await backchannel.ask(
    { type: "prove1", handshakeVersion: HANDSHAKE_VERSION, publicKey: publicKey.line },
    "didProve1",
  );
  const signature = signMessage(privatePem, PROOF_NAMESPACE, Buffer.from(prompt, "base64"));
  await backchannel.ask({ type: "prove2", signature: signature.toString("base64") }, "didProve2");
}
