import { join } from "node:path";
import type { ClientSide, ServerSide, Services } from "./pair.ts";
import { PetitServer, restartPetitClient, startPetitClient } from "./petit.ts";
import type { Daemon } from "./processes.ts";

/** This petit's server as one side of a pair. */
export function petitServerSide(server: PetitServer): ServerSide {
  return {
    proxyPort: server.proxyPort,
    start: () => server.start(),
    stop: () => server.stop(),
    pids: () => server.pids,
    besidePids: () => [],
  };
}

/** A client of this petit for each of the services: each has one key, and its own process. */
export async function registerPetit(
  executable: string,
  folder: string,
  server: PetitServer,
  services: Services,
): Promise<ClientSide> {
  const folders = { measured: join(folder, "measured"), abused: join(folder, "abused") };
  const code = await server.joinCode(2);
  const measured = await startPetitClient(executable, folders.measured, code, services.measured);
  const abused = await startPetitClient(executable, folders.abused, code, services.abused);
  for (const { daemon } of [measured, abused]) await daemon.stop();
  let clients: Daemon[] = [];
  return {
    hosts: { measured: measured.id, abused: abused.id },
    rawPort: measured.rawPort,
    start: () => void (clients = Object.values(folders).map((folder) => restartPetitClient(executable, folder))),
    stop: async () => {
      for (const client of clients) await client.stop();
    },
    pids: () => clients[0]?.pids ?? [],
  };
}
