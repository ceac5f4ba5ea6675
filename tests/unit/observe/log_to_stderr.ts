// Logs 1,000 lines to standard error and to a file.
import process from "node:process";
import { openLog } from "../../../src/observe/open_log.ts";

const [, , folder = ""] = process.argv;
const { log, close } = openLog({
  level: "info",
  name: "server",
  folder,
  maxSize: 1024 * 1024,
  maxFiles: 1,
  stderr: true,
});
for (let n = 0; n < 1000; n++) log.info({ n }, "Hello");
await close();
