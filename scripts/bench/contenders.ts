import { join } from "node:path";
import { ask } from "./ask.ts";
import type { Files } from "./files.ts";
import { startNginx } from "./nginx.ts";
import { startOpenSsh } from "./openssh.ts";
import { PetitServer, startPetitClient } from "./petit.ts";
import type { Programs } from "./programs.ts";

export const NAMES = ["direct", "ssh", "raw", "proxy"] as const;
export type Name = typeof NAMES[number];

export const TITLES: Readonly<Record<Name, string>> = {
  direct: "direct",
  ssh: "ssh -R",
  raw: "raw port",
  proxy: "HTTP proxy",
};

/** One way to reach the service. */
export interface Contender {
  readonly name: Name;
  readonly port: number;
  /** The Host field of every request. */
  readonly host: string;
  /** The processes that carry its traffic; none for the direct way. */
  readonly carriers: readonly Carrier[];
}

export const CARRIERS = ["petit server", "petit client", "sshd", "ssh"] as const;

/** One end of a tunnel. */
export interface Carrier {
  readonly name: typeof CARRIERS[number];
  /** The end where callers arrive, or the one beside the service. */
  readonly end: "public" | "private";
  readonly pids: () => number[];
}

/** Starts the service and every way to it; `stop` ends them. */
export async function startContenders(
  programs: Programs,
  executable: string,
  folder: string,
  files: Files,
): Promise<{ contenders: Contender[]; carriers: Carrier[]; stop: () => Promise<void> }> {
  const at = (name: string) => join(folder, name);
  const nginx = await startNginx(programs.nginx, at("nginx"), files);
  const openSsh = await startOpenSsh(programs, at("openssh"), nginx.port);
  const server = await PetitServer.init(executable, at("server"));
  await server.start();
  const client = await startPetitClient(executable, at("client"), await server.joinCode(1), nginx.port);
  await client.daemon.until("petit client is connected", async () => {
    return (await ask({ port: server.proxyPort, host: client.id }, "GET", `/${files.small.name}`)).status === 200;
  });

  const ofPetit: Carrier[] = [
    { name: "petit server", end: "public", pids: () => server.pids },
    { name: "petit client", end: "private", pids: () => client.daemon.pids },
  ];
  const ofOpenSsh: Carrier[] = [
    { name: "sshd", end: "public", pids: () => openSsh.sshd.pids },
    { name: "ssh", end: "private", pids: () => openSsh.ssh.pids },
  ];
  const loopback = (port: number) => ({ port, host: `127.0.0.1:${port}` });
  return {
    contenders: [
      { name: "direct", ...loopback(nginx.port), carriers: [] },
      { name: "ssh", ...loopback(openSsh.port), carriers: ofOpenSsh },
      { name: "raw", ...loopback(client.rawPort), carriers: ofPetit },
      { name: "proxy", port: server.proxyPort, host: client.id, carriers: ofPetit },
    ],
    carriers: [...ofPetit, ...ofOpenSsh],
    async stop() {
      for (const daemon of [client.daemon, server, openSsh.ssh, openSsh.sshd, nginx.daemon]) await daemon.stop();
    },
  };
}
