import { spawnSync } from "node:child_process";
import process from "node:process";
import { output } from "../../world/processes.ts";
import type { Scope } from "../../world/temporary_folder.ts";

/** An address that belongs to nobody: frames to it get lost on the wire. */
const NOBODY = "02:00:00:00:00:99";

/** Why no networks of one's own can be made here; undefined where they can. */
export function whyNoNetworks(): string | undefined {
  const name = `petit-try-${process.pid}`;
  if (spawnSync("ip", ["netns", "add", name]).status !== 0) {
    return "needs iproute2 and the right to make network namespaces";
  }
  spawnSync("ip", ["netns", "del", name]);
  return undefined;
}

/** One of two hosts. */
export interface Host {
  readonly name: string;
  readonly device: string;
  readonly mac: string;
  /** Changed by `readdress`. */
  address: string;
  /** Words that start a program there. */
  readonly launcher: readonly string[];
}

let count = 0;

/** Two hosts with a network of their own between them (network namespaces), whose frames can get lost on the way. */
export class TwoHosts {
  readonly public: Host;
  readonly customer: Host;

  private constructor(publicHost: Host, customer: Host) {
    this.public = publicHost;
    this.customer = customer;
  }

  static async make(scope: Scope): Promise<TwoHosts> {
    const number = ++count;
    const [a, b] = ["a", "b"].map((side) => `petit-${process.pid}-${number}${side}`) as [string, string];
    scope.after(async () => {
      for (const name of [a, b]) await ip("netns", "del", name).catch(() => {});
    });
    for (const name of [a, b]) await ip("netns", "add", name);
    await ip("link", "add", "v0", "netns", a, "type", "veth", "peer", "name", "v0", "netns", b);
    const host = async (name: string, address: string): Promise<Host> => {
      await ip("-n", name, "addr", "add", `${address}/24`, "dev", "v0");
      for (const device of ["lo", "v0"]) await ip("-n", name, "link", "set", device, "up");
      const [link] = JSON.parse(await ip("-n", name, "-j", "link", "show", "v0")) as [{ address: string }];
      return { name, device: "v0", mac: link.address, address, launcher: ["ip", "netns", "exec", name] };
    };
    return new TwoHosts(await host(a, "192.0.2.1"), await host(b, "192.0.2.2"));
  }

  /** Has what one host sends to the other get lost, or not any more. */
  async lose(from: Host, lost: boolean): Promise<void> {
    const to = from === this.public ? this.customer : this.public;
    const mac = lost ? NOBODY : to.mac;
    await ip("-n", from.name, "neigh", "replace", to.address, "lladdr", mac, "dev", from.device, "nud", "permanent");
  }

  /** Gives a host another address, as when it comes into another network. */
  async readdress(host: Host, address: string): Promise<void> {
    await ip("-n", host.name, "addr", "del", `${host.address}/24`, "dev", host.device);
    await ip("-n", host.name, "addr", "add", `${address}/24`, "dev", host.device);
    host.address = address;
  }
}

function ip(...args: string[]): Promise<string> {
  return output("ip", args);
}
