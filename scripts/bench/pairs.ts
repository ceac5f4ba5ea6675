import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publicKeyOf } from "../../src/tunnel/keys.ts";
import { FormerServer } from "../../tests/peers/former_server.ts";
import type { Scope } from "../../tests/world/temporary_folder.ts";
import { formerServerSide, registerFormer } from "./former_sides.ts";
import { Pair, type Services } from "./pair.ts";
import { PetitServer, startPetitClient, startPetitClientAtFormer } from "./petit.ts";
import { petitServerSide, registerPetit } from "./petit_sides.ts";

export const PAIRS = ["petit", "former", "formerClient", "formerServer"] as const;
export type PairName = typeof PAIRS[number];

/** The server's version, and the client's where that is another one. */
export const PAIR_TITLES: Readonly<Record<PairName, string>> = {
  petit: "petit",
  former: "0.6.34",
  formerClient: "petit, client 0.6.34",
  formerServer: "0.6.34, client petit",
};

/** All of them, registered and stopped. */
export async function makePairs(
  executable: string,
  folder: string,
  services: Services,
  scope: Scope,
): Promise<Record<PairName, Pair>> {
  const petit = await PetitServer.init(executable, join(folder, "server"));
  const open = await PetitServer.init(executable, join(folder, "open_server"), {
    legacyBackchannel: true,
    backHost: "127.0.0.1",
    registration: "open",
  });
  const [former, other] = [await FormerServer.make(scope), await FormerServer.make(scope)];
  const target = { sshPort: open.sshPort, backPort: open.backPort, username: "anyone" };
  const place = { ...other.target, fingerprint: publicKeyOf(readFileSync(other.sshd.hostKeyFile)).fingerprint };
  return {
    petit: await Pair.make(petitServerSide(petit), async () => {
      const code = await petit.joinCode(2);
      return await registerPetit(
        executable,
        join(folder, "petit"),
        services,
        (folder, port) => startPetitClient(executable, folder, code, port),
      );
    }),
    former: await Pair.make(formerServerSide(former), () => registerFormer(scope, former.target, services)),
    formerClient: await Pair.make(petitServerSide(open), () => registerFormer(scope, target, services)),
    formerServer: await Pair.make(formerServerSide(other), () =>
      registerPetit(
        executable,
        join(folder, "petit_at_former"),
        services,
        (folder, port) => startPetitClientAtFormer(executable, folder, place, port),
      )),
  };
}
