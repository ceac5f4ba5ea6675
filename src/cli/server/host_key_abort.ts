import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import type { HostKeyStatus } from "../../server/host_key/host_keys.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { hostKeyText } from "./host_key_text.ts";

export async function hostKeyAbort(invocation: Invocation): Promise<number> {
  const folder = daemonFolder(invocation);
  const path = "/host-key/abort";
  const status = await callDaemon<HostKeyStatus>({ folder, role: "server", method: "POST", path });
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify(status)}\n`
      : `Gave up the next host key. Clients forget it when they hear of it.\n\n${hostKeyText(status)}`,
  );
  return 0;
}
