import { createServer } from "node:http";
import type { Scope } from "./temporary_folder.ts";
import { listenOn } from "./world.ts";

/** An HTTP service that says one word; its port. */
export async function startWord(scope: Scope, word: string): Promise<number> {
  const service = createServer((_, response) => response.end(word));
  scope.after(() => {
    service.closeAllConnections();
    service.close();
  });
  return await listenOn(service);
}
