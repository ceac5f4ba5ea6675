import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import type { HostKeyStatus } from "../../server/host_key/host_keys.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { hostKeyText } from "./host_key_text.ts";

export async function hostKeyShow(invocation: Invocation): Promise<number> {
  const folder = daemonFolder(invocation);
  const status = await callDaemon<HostKeyStatus>({ folder, role: "server", path: "/host-key" });
  process.stdout.write(invocation.values["json"] === true ? `${JSON.stringify(status)}\n` : hostKeyText(status));
  return 0;
}
