import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import type { HostKeyStatus, UnawareClient } from "../../server/host_key/host_keys.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { hostKeyText, idsOf } from "./host_key_text.ts";

interface Finished extends HostKeyStatus {
  readonly left: readonly UnawareClient[];
  readonly revokedJoinCodes: number;
}

export async function hostKeyFinish(invocation: Invocation): Promise<number> {
  const folder = daemonFolder(invocation);
  const body = { force: invocation.values["force"] === true };
  const finished = await callDaemon<Finished>({
    folder,
    role: "server",
    method: "POST",
    path: "/host-key/finish",
    body,
  });
  const { left, revokedJoinCodes } = finished;
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify(finished)}\n`
      : "The next host key is the host key now. Tunnels that stand go on; new connections are shown the new key.\n" +
        (left.length === 0
          ? ""
          : `Left behind until they register again with a new join code: ${idsOf(left).join(", ")}.\n`) +
        (revokedJoinCodes === 0
          ? ""
          : `Revoked ${
            revokedJoinCodes === 1 ? "one join code" : `${revokedJoinCodes} join codes`
          } that named the former key; "petit server join" makes new ones.\n`) +
        `\n${hostKeyText(finished)}`,
  );
  return 0;
}
