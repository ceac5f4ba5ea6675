import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import type { HostKeyStatus } from "../../server/host_key/host_keys.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { hostKeyText } from "./host_key_text.ts";

export async function hostKeyRotate(invocation: Invocation): Promise<number> {
  const folder = daemonFolder(invocation);
  const path = "/host-key/rotate";
  const status = await callDaemon<HostKeyStatus>({ folder, role: "server", method: "POST", path });
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify(status)}\n`
      : `Made the next host key. The current one vouches for it to every client that connects.\n\n${
        hostKeyText(status)
      }`,
  );
  return 0;
}
