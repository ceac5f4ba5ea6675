import process from "node:process";
import type { ClientStatus } from "../../client/client_status.ts";
import { callDaemon } from "../../control/api_client.ts";
import type { Invocation } from "../commands/command.ts";
import { clientStatusText } from "./client_status_text.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";

export async function clientStatus(invocation: Invocation): Promise<number> {
  const folder = daemonFolder(invocation);
  const { status } = await callDaemon<{ status: ClientStatus }>({ folder, role: "client", path: "/status" });
  const json = invocation.values["json"] === true;
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : clientStatusText(status));
  return 0;
}
