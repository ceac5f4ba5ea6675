// Registers one key after the other until it is killed, and prints each id once the registry has returned it.
import { writeSync } from "node:fs";
import process from "node:process";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { requestOf } from "./fixture.ts";

const [, , file = "", joinHash = ""] = process.argv;
const registry = new SqliteRegistry(file);
for (;;) {
  const holder = `${process.pid} ${registry.nextPort()}`;
  const { id, port } = registry.register(requestOf(registry, holder, { joinHash }));
  writeSync(1, `${id} ${port} ${holder}\n`);
}
