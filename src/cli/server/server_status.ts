import process from "node:process";
import { callDaemon } from "../../control/api_client.ts";
import { PetitError } from "../../error.ts";
import type { FullStatus, RegistrationStatus, ServerStatus } from "../../server/server_status.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { registrationId } from "./registration_id.ts";
import { registeredCount } from "./registered_count.ts";
import { fullStatusText, statusText } from "./server_status_text.ts";
import { textValue } from "../values.ts";

export async function serverStatus(invocation: Invocation): Promise<number> {
  const [typed] = invocation.positionals;
  const wanted = selection(invocation);
  const id = typed === undefined ? undefined : registrationId(typed);
  if (id !== undefined && wanted.any) {
    throw new PetitError("usage", "An id and a selection at the same time", {
      hint: "--connected, --away and --search select from all registrations",
      exitCode: 2,
    });
  }
  const ask = <Answer>(path: string) => asked<Answer>(invocation, path);
  if (id !== undefined) {
    const status = await ask<FullStatus>(`/status/${id}`);
    print(invocation, status, () => fullStatusText(status));
    return 0;
  }
  const status = await ask<ServerStatus>("/registry");
  const connections = status.connections.filter(wanted.test)
    .sort((a, b) => Number(a.registeredId) - Number(b.registeredId));
  print(invocation, { ...status, connections }, () => statusText(status, connections));
  return 0;
}

/** Which registrations `--connected`, `--away` and `--search` leave. @throws PetitError `usage` */
function selection(
  invocation: Invocation,
): { any: boolean; test: (registration: RegistrationStatus) => boolean } {
  const connected = invocation.values["connected"] === true;
  const away = invocation.values["away"] === true;
  if (connected && away) throw new PetitError("usage", "--connected and --away exclude each other", { exitCode: 2 });
  const text = textValue(invocation, "search")?.toLowerCase();
  return {
    any: connected || away || text !== undefined,
    test: (registration) =>
      (!connected || registration.connected) && (!away || !registration.connected) &&
      (text === undefined || searchable(registration).some((part) => part.toLowerCase().includes(text))),
  };
}

function searchable({ registeredId, aliases, brand, tenant, vitae, tunnel }: RegistrationStatus): string[] {
  return [registeredId, ...aliases, brand, tenant, vitae?.hostname ?? "", tunnel?.address ?? ""];
}

/** What the server answers; where it does not run, how many registrations wait for it is told. */
async function asked<Answer>(invocation: Invocation, path: string): Promise<Answer> {
  const folder = daemonFolder(invocation);
  try {
    return await callDaemon<Answer>({ folder, role: "server", path });
  } catch (error) {
    if (!(error instanceof PetitError) || error.code !== "not-running") throw error;
    const count = registeredCount(invocation);
    if (count === undefined) throw error;
    throw new PetitError(error.code, `${error.message}; ${count} in its registry`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      exitCode: 3,
      cause: error,
    });
  }
}

function print(invocation: Invocation, facts: object, text: () => string): void {
  process.stdout.write(invocation.values["json"] === true ? `${JSON.stringify(facts)}\n` : text());
}
