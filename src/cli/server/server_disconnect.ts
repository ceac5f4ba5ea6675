import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { registrationId } from "./registration_id.ts";

export async function serverDisconnect(invocation: Invocation): Promise<number> {
  const id = registrationId(invocation.positionals[0]);
  const folder = daemonFolder(invocation);
  await callDaemon({ folder, role: "server", method: "POST", path: `/registrations/${id}/disconnect` });
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify({ registeredId: id, disconnected: true })}\n`
      : `Disconnected ${id}. Its client will connect again; "petit server unregister ${id}" takes it away for good.\n`,
  );
  return 0;
}
